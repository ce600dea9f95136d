// The forms that words in a recipe must have. Pure.
//
// Each function returns "" for a good word, and for any other the cause that a message ends with.
#pragma once

#include <string>
#include <string_view>

namespace vprov::recipe {

std::string flaw_of_guest_name(std::string_view name);     // as hypervisor::is_valid_guest_name
std::string flaw_of_hostname(std::string_view label);      // one label of RFC 1123, 2.1
std::string flaw_of_domain(std::string_view domain);       // labels between dots
std::string flaw_of_timezone(std::string_view zone);       // "UTC" or "Area/City"
std::string flaw_of_locale(std::string_view locale);       // "de_DE.UTF-8", "C.UTF-8", "POSIX"
std::string flaw_of_keyboard(std::string_view layout);     // an XKB layout: "de"; several with commas between them
std::string flaw_of_keyboard_word(std::string_view word);  // a variant, model or option of XKB: "nodeadkeys"
std::string flaw_of_architecture(std::string_view name);   // Debian's name of one
std::string flaw_of_suite(std::string_view suite);
std::string flaw_of_component(std::string_view component);
std::string flaw_of_package(std::string_view package);         // Debian policy, 5.6.1
std::string flaw_of_uri(std::string_view uri);                 // http, https, ftp or file
std::string flaw_of_account(std::string_view name);            // adduser.conf(5), NAME_REGEX; at most 32 characters
std::string flaw_of_account_or_number(std::string_view name);  // "www-data", "33"
std::string flaw_of_gecos(std::string_view text);              // the fifth field of passwd(5)
std::string flaw_of_guest_path(std::string_view path);         // absolute, without empty parts, "." and ".."
std::string flaw_of_variable(std::string_view name);           // of the environment
std::string flaw_of_file_name(std::string_view path);          // not empty, no control character
std::string flaw_of_line(std::string_view text);               // no control character
std::string flaw_of_words(std::string_view text);              // what xl.cfg can hold in quotes, not empty

std::string flaw_of_disk_name(std::string_view name);  // stem of an image's file name
std::string flaw_of_mount(std::string_view path);
std::string flaw_of_mount_options(std::string_view options);
std::string flaw_of_label(std::string_view label);
std::string flaw_of_device(std::string_view device);  // "xvda1", as the guest sees it

std::string flaw_of_partition_name(std::string_view name);   // at most 36 characters, as a GPT has room for
std::string flaw_of_uuid(std::string_view text);             // 8-4-4-4-12 hexadecimal digits
std::string flaw_of_filesystem_uuid(std::string_view text);  // the same, or vfat's: "1A2B-3C4D"
std::string flaw_of_table_uuid(std::string_view text);       // the same, or an MBR's: "1a2b3c4d"
std::string flaw_of_host_device(std::string_view path);      // below /dev
std::string flaw_of_mount_source(std::string_view source);   // first field of fstab: "tmpfs", "nas:/srv", "LABEL=x"
std::string flaw_of_extra_mount(std::string_view path);      // a mount point, below /dev and /run too

std::string flaw_of_mac(std::string_view mac);          // six pairs, one machine's
std::string flaw_of_bridge(std::string_view name);      // at most 15 characters (IFNAMSIZ)
std::string flaw_of_interface(std::string_view name);   // in the guest: as a bridge, and no name that is taken there
std::string flaw_of_vif_word(std::string_view text);    // a value in xl's vif: no comma, no blanks around it
std::string flaw_of_address(std::string_view address);  // IPv4 or IPv6, no prefix
std::string flaw_of_cidr(std::string_view address);     // with its prefix: "192.0.2.7/24"

std::string flaw_of_password_hash(std::string_view hash);   // crypt(5), only methods that are still thought strong
std::string flaw_of_authorized_key(std::string_view line);  // sshd(8), AUTHORIZED_KEYS FILE FORMAT

}  // namespace vprov::recipe
