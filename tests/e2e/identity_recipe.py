"""A guest of whom everything is said, and the package that asks for it."""

RECIPE_TEXT = """
name = "id1"
[system]
mirror = "@MIRROR@"
security = false
updates = false
variant = "minbase"
include = ["ifupdown", "isc-dhcp-client", "netplan.io", "openssh-server", "systemd-resolved", "systemd-sysv", "udev"]
debs = ["local-tool_1.5-1_all.deb"]
debconf = ["local-tool local-tool/colour string green", "local-tool local-tool/size select large"]
[system.kernel]
package = ""
[identity]
domain = "example.org"
timezone = "Europe/Berlin"
locale = "de_DE.UTF-8"
locales = ["en_US.UTF-8"]
keyboard = "de"
keyboard_variant = "nodeadkeys"
network_renderer = "ifupdown"
root_password = { random = true }
[[identity.user]]
name = "joe"
uid = 1234
gid = 1235
home = "/srv/joe"
shell = "/bin/sh"
sudo = "nopasswd"
groups = ["adm"]
authorized_keys_files = ["joe.pub"]
[[identity.user]]
name = "eve"
sudo = true
gecos = "Eve Example,,,"
password = { random = true }
[[disk]]
size = "1G"
filesystem = "ext4"
mount = "/"
[[network]]
name = "wan"
mac = "00:16:3e:00:00:01"
address = ["192.0.2.10/24", "2001:db8::10/64"]
gateway = ["192.0.2.1", "2001:db8::1"]
dns = ["192.0.2.53"]
search = ["example.org", "example.net"]
mtu = 1400
[[network]]
mac = "00:16:3e:00:00:02"
address = "none"
[[network]]
vlan = 10
address = ["198.51.100.5/24", "2001:db8:a::5/64"]
mtu = 1380
[[directory]]
path = "/srv/copied"
source = "tree"
owner = "joe"
[[file]]
path = "/etc/local.conf"
content = "colour = green\\n"
mode = "0640"
group = "adm"
[[file]]
path = "/etc/early.conf"
content = "early\\n"
stage = "essential"
[[hook]]
name = "first"
stage = "essential"
script = "cat /etc/early.conf; dpkg-query -W local-tool 2>&1 || true; env | grep ^VPROV_ | sort"
[[hook]]
name = "last"
file = "last.sh"
"""

POSTINST = """#!/bin/sh
set -e
. /usr/share/debconf/confmodule
db_get local-tool/colour
echo "$RET" > /etc/local-tool.colour
db_get local-tool/size
echo "$RET" >> /etc/local-tool.colour
"""
TEMPLATES = """Template: local-tool/colour
Type: string
Default: red
Description: Colour

Template: local-tool/size
Type: select
Choices: small, large
Default: small
Description: Size
"""
