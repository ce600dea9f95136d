// Which guests start with the host: symbolic links to their configurations, as xendomains(8) has them in /etc/xen/auto.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vprov::hypervisor {

// Where configurations are kept: $VPROV_CONFIG_DIR; or for root /etc/vprov; or $XDG_CONFIG_HOME/vprov, which is
// ~/.config/vprov by default.
std::filesystem::path configuration_directory();

class Autostart {
  public:
    static constexpr unsigned kUsualOrder = 50;
    static constexpr unsigned kLastOrder = 99;

    explicit Autostart(std::filesystem::path folder = configuration_directory() / "auto")
        : folder_(std::move(folder)) {}

    struct Entry {
        unsigned order = kUsualOrder;
        std::string name;                     // the domain's, "" when its configuration cannot be read
        std::filesystem::path configuration;  // what the link names; may be missing
        std::filesystem::path link;           // ORDER-NAME.cfg
    };
    // In the order in which they start: by ORDER, then by name. Links that others made are entries too.
    std::vector<Entry> entries() const;

    // Replaces the domain's entry. `configuration` is a readable one of that domain. Throws Error(hypervisor).
    void enable(const std::string& name, const std::filesystem::path& configuration, unsigned order) const;
    bool disable(const std::string& name) const;  // false: it was not enabled

  private:
    std::filesystem::path folder_;
};

}  // namespace vprov::hypervisor
