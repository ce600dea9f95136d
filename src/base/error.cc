#include "base/error.h"

#include <system_error>

namespace vprov {

Error system_error(ErrorKind kind, int errno_value, std::string_view what) {
    return error(kind, "{}: {}", what, std::generic_category().message(errno_value));
}

}  // namespace vprov
