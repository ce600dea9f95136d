#pragma once

#include <string>

#include "base/error.h"

namespace vprov {

// What a failing call says, with its kind where that is not `archive`.
template <class Call>
std::string message_of(Call&& call) {
    try {
        call();
    } catch (const Error& e) {
        switch (e.kind()) {
            case ErrorKind::archive:
                return e.message();
            case ErrorKind::disk:
                return "disk: " + e.message();
            case ErrorKind::interrupted:
                return "interrupted: " + e.message();
            default:
                return "other: " + e.message();
        }
    }
    return "no error";
}

}  // namespace vprov
