#include "hypervisor/xen/xl_output.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"

namespace vprov::hypervisor {
namespace {

template <class T>
T number(std::string_view word, std::string_view line) {
    T value{};
    const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (failure != std::errc{} || end != word.data() + word.size())
        throw error(ErrorKind::hypervisor, "cannot read a line of 'xl list': {}", quote(line));
    return value;
}

// From the right: a name has no end that its column tells.
DomainInfo parse_row(std::string_view line) {
    const auto words = split_words(line);
    if (words.size() < 6)
        throw error(ErrorKind::hypervisor, "cannot read a line of 'xl list': {}", quote(line));
    const auto* const last = &words[words.size() - 5];
    DomainInfo domain;
    domain.name = trimmed(line.substr(0, static_cast<std::size_t>(last[0].data() - line.data())));
    domain.id = number<unsigned>(last[0], line);
    domain.memory_mib = number<std::uint64_t>(last[1], line);
    domain.vcpus = number<unsigned>(last[2], line);
    domain.state = last[3];
    domain.cpu_seconds = number<double>(last[4], line);
    domain.is_host = domain.id == 0;
    return domain;
}

// "libxl: error: libxl_device.c:1111:device_backend_callback: Domain 3:unable to add device" without what stands before
// "unable"; "" for a line that is no error of libxl's.
std::string_view libxl_error(std::string_view line) {
    constexpr std::string_view kStart = "libxl: error: ";
    const auto start = line.find(kStart);
    if (start == std::string_view::npos)
        return "";
    line.remove_prefix(start + kStart.size());
    const auto place = line.find(": ");  // libxl_device.c:1111:device_backend_callback
    if (place != std::string_view::npos && line.substr(0, place).find(".c:") != std::string_view::npos)
        line.remove_prefix(place + 2);
    if (line.starts_with("Domain ")) {
        const auto colon = line.find(':');
        if (colon != std::string_view::npos)
            line.remove_prefix(colon + 1);
    }
    return trimmed(line);
}

// "xc: error: panic: xg_dom_boot.c:119: xc_dom_boot_mem_init: can't allocate" without what stands before "can't"; ""
// for a line that is not of the library that builds domains.
std::string_view builder_error(std::string_view line) {
    constexpr std::string_view kStart = "xc: error: panic: ";
    if (!line.starts_with(kStart))
        return "";
    line.remove_prefix(kStart.size());
    for (int places = 0; places < 2; ++places) {  // file and line, function
        const auto end = line.find(": ");
        if (end == std::string_view::npos || line.substr(0, end).find(' ') != std::string_view::npos)
            break;
        line.remove_prefix(end + 2);
    }
    return trimmed(line);
}

}  // namespace

std::vector<DomainInfo> parse_xl_list(std::string_view text) {
    std::vector<DomainInfo> domains;
    for (const auto line : split(text, '\n'))
        if (!trimmed(line).empty() && !line.starts_with("Name  "))
            domains.push_back(parse_row(line));
    return domains;
}

namespace {

nlohmann::json parse_long_list(std::string_view json) {
    try {
        return nlohmann::json::parse(json);
    } catch (const nlohmann::json::exception& e) {
        throw error(ErrorKind::hypervisor, "cannot read what 'xl list -l' says: {}", e.what());
    }
}

}  // namespace

std::string xl_configuration(std::string_view json, unsigned id) {
    for (const auto& domain : parse_long_list(json))
        if (domain.is_object() && domain.value("domid", nlohmann::json()) == id)
            return domain.value("config", nlohmann::json::object()).dump(2);
    return "{}";
}

std::map<unsigned, XlDetails> parse_xl_details(std::string_view json) {
    std::map<unsigned, XlDetails> found;
    try {
        for (const auto& domain : parse_long_list(json)) {
            const auto& config = domain.at("config");
            const auto& basics = config.at("c_info");
            auto& details = found[domain.at("domid").get<unsigned>()];
            details.name = basics.value("name", "");
            details.type = basics.at("type").get<std::string>();
            for (const auto& disk : config.value("disks", nlohmann::json::array()))
                details.disks.push_back(
                    {disk.value("pdev_path", ""), disk.value("vdev", ""), disk.value("readwrite", 0) != 0});
        }
    } catch (const nlohmann::json::exception& e) {
        throw error(ErrorKind::hypervisor, "cannot read what 'xl list -l' says: {}", e.what());
    }
    return found;
}

std::string cause_of_xl_failure(std::string_view errors, int status) {
    std::string_view first;
    for (const auto line : split(errors, '\n')) {
        constexpr std::string_view kScript = "script: ";  // what a hotplug script had to say
        const auto said = line.starts_with("xc: ") ? builder_error(line) : libxl_error(line);
        if (said.starts_with(kScript) && said.find("failed; error detected") == std::string_view::npos)
            return std::string(said.substr(kScript.size()));
        if (first.empty() && !line.starts_with("Parsing config"))
            first = said.empty() ? trimmed(line) : said;
    }
    if (first.empty())
        return fmt::format("xl says nothing, its exit status is {}", status);
    const bool is_sentence = first.ends_with('.') && first.find(". ") == std::string_view::npos;
    return std::string(is_sentence ? first.substr(0, first.size() - 1) : first);
}

}  // namespace vprov::hypervisor
