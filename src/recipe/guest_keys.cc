#include "recipe/address_range.h"
#include "recipe/forms.h"
#include "recipe/tables.h"
#include "recipe/values.h"

namespace vprov::recipe {
namespace {

constexpr std::int64_t kMostGuests = 10000;

// "web%02d": one place for the number, with or without leading zeros.
std::string flaw_of_name_pattern(std::string_view pattern) {
    if (number_place(pattern).size == 0)
        return "it has no single %d or %02d where the guest's number goes";
    return flaw_of_guest_name(numbered_name(pattern, 1));
}

std::string flaw_of_range(std::string_view text) {
    return parse_address_range(text) ? "" : "it is no network or range, as 192.0.2.0/24 or 192.0.2.10-192.0.2.99/24";
}

unsigned count_of(const Node& node) {
    const auto count = integer_of(node);
    if (count < 1 || count > kMostGuests)
        throw Refusal{fmt::format("1 to {} guests can be made", kMostGuests)};
    return static_cast<unsigned>(count);
}

unsigned first_of(const Node& node) {
    const auto first = integer_of(node);
    if (first < 0 || first > 1'000'000)
        throw Refusal{"it is negative or too large"};
    return static_cast<unsigned>(first);
}

}  // namespace

Keys<ListedGuest> listed_guest_keys() {
    return {"[[guest]]",
            {key("name", &ListedGuest::name, word(flaw_of_guest_name)),
             key("hostname", &ListedGuest::hostname, word(flaw_of_hostname)),
             list("address", &ListedGuest::address, word(flaw_of_cidr), EmptyList::refused),
             key("mac", &ListedGuest::mac, word(flaw_of_mac))},
            {},
            {"name"},
            {}};
}

Keys<NumberedGuests> numbered_guests_keys() {
    return {"[guests]",
            {key("count", &NumberedGuests::count, count_of), key("first", &NumberedGuests::first, first_of),
             key("name", &NumberedGuests::name, word(flaw_of_name_pattern)),
             key("addresses", &NumberedGuests::addresses, word(flaw_of_range)),
             key("macs", &NumberedGuests::macs, word(flaw_of_mac))},
            {},
            {"name"},
            [](const NumberedGuests& guests, const Node& table, Findings& findings) {
                if (guests.count == 0)
                    findings.add(table.place, "cannot use [guests]: it has no count");
            }};
}

void check_guests(const Recipe& recipe, const Node& root, Findings& findings) {
    refuse_repeats(
        recipe.listed_guests, root.find("guest"), "[[guest]]", "name",
        [](const ListedGuest& guest) { return guest.name; }, findings);
    const bool numbered = recipe.numbered_guests.count > 0;
    if (numbered && !recipe.listed_guests.empty())
        findings.add(root.place_of("guests"),
                     "cannot use [guests] and [[guest]] together: one of them lists the guests");
    const bool addressed = !recipe.numbered_guests.addresses.empty() || !recipe.numbered_guests.macs.empty();
    if (numbered && addressed && recipe.networks.empty())
        findings.add(root.place_of("guests"), "cannot use [guests] addresses: the recipe has no [[network]] for them");
}

}  // namespace vprov::recipe
