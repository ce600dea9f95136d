"""The command line of a QEMU that has nothing of vprov: a disk image, a firmware, and its console on standard input and
output. It emulates (TCG), writes to the image, and ends when the guest powers off or restarts."""

import shutil

# Of Debian's package ovmf: the code, and the variables of a machine that nobody has started; those of the last have the
# keys of Secure Boot, and its code protects them by the system management mode.
BIOS, UEFI, SECURE = "bios", "uefi", "secure"
OVMF = "/usr/share/OVMF/OVMF_{}_4M{}.fd"


def argv(image, image_format, firmware, place):
    """`place` gets a file for the firmware's variables."""
    words = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "768", "-nodefaults",
             "-display", "none", "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console", "-no-reboot",
             "-device", "virtio-rng-pci", "-drive", f"file={image},format={image_format},if=virtio,cache=unsafe"]
    if firmware == BIOS:
        return words
    kind = ".ms" if firmware == SECURE else ""
    shutil.copy(OVMF.format("VARS", kind), place / "variables.fd")
    if firmware == SECURE:
        words += ["-machine", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on",
                  "-global", "ICH9-LPC.disable_s3=1"]
    return words + ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={OVMF.format('CODE', kind)}",
                    "-drive", f"if=pflash,unit=1,format=raw,file={place}/variables.fd"]
