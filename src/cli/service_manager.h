// What a service tells systemd of itself.
#pragma once

#include <string_view>

namespace vprov::cli {

// Sends "READY=1" or the like to $NOTIFY_SOCKET, as sd_notify(3) does; nothing happens when it is not set.
void tell_service_manager(std::string_view state) noexcept;

}  // namespace vprov::cli
