#include "config-render/added_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "config-render/account_tables.h"
#include "os/fd.h"
#include "os/tree_files.h"

namespace vprov::render {
namespace {
namespace fs = std::filesystem;

struct Owner {
    uid_t uid = 0;
    gid_t gid = 0;
};

// Names of the tree's accounts as numbers.
class Accounts {
  public:
    explicit Accounts(const os::RootDir& root)
        : passwd_(root.read_if_exists("/etc/passwd").value_or("")),
          group_(root.read_if_exists("/etc/group").value_or("")) {}

    // `group` "" is the owner's own; a number without an account has group 0.
    Owner find(const std::string& owner, const std::string& group, const std::string& path) {
        const auto* row = passwd_.find(owner);
        Owner found;
        found.uid = number(owner, row ? (*row)[2] : "", "user", path);
        if (group.empty())
            found.gid = row && row->size() > 3 ? number("", (*row)[3], "group", path) : 0;
        else if (const auto* line = group_.find(group))
            found.gid = number("", line->size() > 2 ? (*line)[2] : "", "group", path);
        else
            found.gid = number(group, "", "group", path);
        return found;
    }

  private:
    static std::uint32_t number(const std::string& name, const std::string& field, std::string_view what,
                                const std::string& path) {
        const auto& text = field.empty() ? name : field;
        if (text.empty() || text.size() > 10 || text.find_first_not_of("0123456789") != std::string::npos)
            throw error(ErrorKind::recipe, "cannot give {} to {} {}: the guest has no such {}", quote(path), what,
                        quote(name), what);
        return static_cast<std::uint32_t>(std::stoul(text));
    }

    AccountTable passwd_, group_;
};

Error failure(std::string_view verb, const std::string& path) {
    return system_error(ErrorKind::disk, errno, fmt::format("cannot {} {} in the guest's tree", verb, quote(path)));
}

std::string folder_of(const std::string& path) {
    return fs::path(path).parent_path().string();
}

void copy_content(const os::Fd& from, const os::Fd& to, const std::string& path) {
    constexpr std::size_t kPortion = 1 << 20;
    for (bool in_kernel = true;;) {
        if (in_kernel) {
            const auto count = ::copy_file_range(from.get(), nullptr, to.get(), nullptr, 1 << 30, 0);
            if (count == 0)
                return;
            if (count > 0)
                continue;
            if (errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS)
                throw failure("write", path);
            in_kernel = false;
        }
        std::string portion(kPortion, '\0');
        const auto count = ::read(from.get(), portion.data(), portion.size());
        if (count < 0)
            throw failure("write", path);
        if (count == 0)
            return;
        os::write_all(to.get(), {portion.data(), static_cast<std::size_t>(count)}, path);
    }
}

// A new file in the place of what was there; nobody but root can read it before it is given away.
os::Fd new_file(const os::RootDir& root, const std::string& path) {
    root.make_directories(folder_of(path));
    if (const auto status = root.status(path); status && S_ISDIR(status->st_mode))
        throw error(ErrorKind::recipe, "cannot write {} as a file: the guest has a directory there", quote(path));
    root.remove(path);
    return root.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
}

void finish(const os::Fd& fd, Owner owner, unsigned mode, const std::string& path) {
    if (::fchown(fd.get(), owner.uid, owner.gid) != 0)
        throw failure("change the owner of", path);
    if (::fchmod(fd.get(), mode) != 0)
        throw failure("set the mode of", path);
}

void copy_file(const os::RootDir& root, const fs::path& source, const std::string& path, Owner owner,
               std::optional<unsigned> mode) {
    const auto from = os::open_file(source, O_RDONLY, 0, ErrorKind::recipe);
    struct stat status {};
    ::fstat(from.get(), &status);
    const auto to = new_file(root, path);
    copy_content(from, to, path);
    finish(to, owner, mode.value_or((status.st_mode & 0111) != 0 ? 0755 : 0644), path);
}

// Makes a directory where there is none, nor a link to one. True if it is new.
bool make_directory(const os::RootDir& root, const std::string& path, Owner owner, unsigned mode) {
    if (root.open_if_exists(path, O_PATH | O_DIRECTORY))
        return false;
    if (root.exists(path))
        throw error(ErrorKind::recipe, "cannot make the directory {}: the guest has something else there", quote(path));
    root.make_directories(path);
    finish(root.open(path, O_RDONLY | O_DIRECTORY), owner, mode, path);
    return true;
}

void copy_tree(const os::RootDir& root, const fs::path& source, const std::string& path, Owner owner) {
    for (const auto& name : os::sorted_names(source)) {
        const auto from = source / name;
        const auto to = fmt::format("{}/{}", path, name);
        const auto status = os::status_of(from);
        if (S_ISDIR(status.st_mode)) {
            make_directory(root, to, owner, status.st_mode & 07777);
            copy_tree(root, from, to, owner);
        } else if (S_ISREG(status.st_mode)) {
            copy_file(root, from, to, owner, status.st_mode & 07777);
        } else if (S_ISLNK(status.st_mode)) {
            root.make_link(to, fs::read_symlink(from).native());
            const auto place = root.parent_of(to);
            if (::fchownat(place.directory.get(), place.name.c_str(), owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW) != 0)
                throw failure("change the owner of", to);
        } else {
            throw error(ErrorKind::recipe, "cannot copy {}: it is neither a file, a directory nor a link",
                        quote(from.native()));
        }
    }
}

void write_directory(const os::RootDir& root, const plan::Plan& plan, const recipe::AddedDirectory& directory,
                     Accounts& accounts) {
    const auto owner = accounts.find(directory.owner, directory.group, directory.path);
    const auto source = directory.source ? recipe::host_path(plan.recipe, *directory.source) : fs::path();
    const auto mode = directory.mode.value_or(source.empty() ? 0755 : os::status_of(source).st_mode & 07777);
    const bool is_new = make_directory(root, directory.path, owner, mode);
    if (!is_new && (directory.mode || owner.uid != 0 || owner.gid != 0)) {
        const auto fd = root.open(directory.path, O_RDONLY | O_DIRECTORY);
        struct stat status {};
        ::fstat(fd.get(), &status);
        finish(fd, owner, directory.mode.value_or(status.st_mode & 07777), directory.path);
    }
    if (!source.empty())
        copy_tree(root, source, directory.path, owner);
}

void write_file(const os::RootDir& root, const plan::Plan& plan, const recipe::AddedFile& file, Accounts& accounts) {
    const auto owner = accounts.find(file.owner, file.group, file.path);
    if (file.source)
        return copy_file(root, recipe::host_path(plan.recipe, *file.source), file.path, owner, file.mode);
    const auto fd = new_file(root, file.path);
    os::write_all(fd.get(), file.content.value_or(""), file.path);
    finish(fd, owner, file.mode.value_or(0644), file.path);
}

}  // namespace

void write_added(const os::RootDir& root, const plan::Plan& plan, recipe::Moment stage) {
    Accounts accounts(root);
    if (stage == recipe::Moment::at_end)
        for (const auto& directory : plan.recipe.directories) write_directory(root, plan, directory, accounts);
    for (const auto& file : plan.recipe.files)
        if (file.stage == stage)
            write_file(root, plan, file, accounts);
}

std::vector<std::string> added_before_scripts(const plan::Plan& plan) {
    std::vector<std::string> lines;
    for (const auto& file : plan.recipe.files) {
        if (file.stage != recipe::Moment::before_scripts)
            continue;
        const auto source = file.source ? recipe::host_path(plan.recipe, *file.source) : fs::path();
        const auto content = file.source ? os::read_file(source, ErrorKind::recipe) : file.content.value_or("");
        const auto mode = file.mode                                                    ? fmt::format("{:o}", *file.mode)
                          : file.source && (os::status_of(source).st_mode & 0111) != 0 ? "755"
                                                                                       : "644";
        lines.push_back(
            fmt::format("{} added {} {}:{} {}", file.path, mode, file.owner, file.group, sha256(content).hex()));
    }
    return lines;
}

}  // namespace vprov::render
