#include "base/progress.h"

namespace vprov {

std::string_view name(Stage stage) {
    switch (stage) {
        case Stage::index:
            return "index";
        case Stage::resolve:
            return "resolve";
        case Stage::fetch:
            return "fetch";
        case Stage::unpack:
            return "unpack";
        case Stage::configure:
            return "configure";
        case Stage::personalise:
            return "personalise";
        case Stage::write:
            return "write";
        case Stage::render:
            return "render";
        case Stage::launch:
            return "launch";
    }
    return "?";
}

}  // namespace vprov
