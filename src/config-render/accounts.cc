#include "config-render/accounts.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/error.h"
#include "base/text.h"
#include "config-render/account_tables.h"
#include "config-render/passwords.h"

namespace vprov::render {
namespace {

constexpr std::int64_t kSecondsPerDay = 86400;
constexpr mode_t kHomeMode = 0700;  // DIR_MODE of adduser.conf(5) since Debian 12

struct Owner {
    uid_t uid;
    gid_t gid;
};

Error failure(std::string_view verb, const std::string& path) {
    return system_error(ErrorKind::disk, errno, fmt::format("cannot {} {} in the guest's tree", verb, quote(path)));
}

void give(const os::RootDir& root, const std::string& path, Owner owner) {
    const auto place = root.parent_of(path);
    if (::fchownat(place.directory.get(), place.name.c_str(), owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW) != 0)
        throw failure("change the owner of", path);
}

// The tables that a tree may lack: shadow and gshadow without package passwd, the subordinate ids before login 4.9.
class TableFile {
  public:
    TableFile(const os::RootDir& root, std::string path, AccountTable AccountTables::*table)
        : path_(std::move(path)), table_(table), status_(root.status(path_)) {}

    void read(const os::RootDir& root, AccountTables& into) {
        before_ = root.read_if_exists(path_).value_or("");
        into.*table_ = AccountTable(before_);
    }

    void write(const os::RootDir& root, const AccountTables& from) const {
        const auto text = (from.*table_).text();
        if (!status_ || text == before_)
            return;
        // the owner first sees 0600 so that nobody reads shadow between the two calls
        root.write(path_, text, 0600);
        give(root, path_, {status_->st_uid, status_->st_gid});
        const auto fd = root.open(path_, O_RDONLY | O_NOFOLLOW);
        if (::fchmod(fd.get(), status_->st_mode & 07777) != 0)
            throw failure("set the mode of", path_);
    }

  private:
    std::string path_;
    AccountTable AccountTables::*table_;
    std::optional<struct stat> status_;
    std::string before_;
};

std::vector<TableFile> table_files(const os::RootDir& root) {
    std::vector<TableFile> files;
    files.emplace_back(root, "/etc/passwd", &AccountTables::passwd);
    files.emplace_back(root, "/etc/shadow", &AccountTables::shadow);
    files.emplace_back(root, "/etc/group", &AccountTables::group);
    files.emplace_back(root, "/etc/gshadow", &AccountTables::gshadow);
    files.emplace_back(root, "/etc/subuid", &AccountTables::subuid);
    files.emplace_back(root, "/etc/subgid", &AccountTables::subgid);
    return files;
}

std::vector<std::string> entries(const os::RootDir& root, const std::string& path) {
    auto fd = root.open(path, O_RDONLY | O_DIRECTORY);
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(fd.get()), ::closedir);
    if (!folder)
        throw failure("list", path);
    fd.release();  // closedir() closes it
    std::vector<std::string> names;
    while (const auto* entry = ::readdir(folder.get()))
        if (const std::string name = entry->d_name; name != "." && name != "..")
            names.push_back(name);
    return names;
}

void make_directory(const os::RootDir& root, const std::string& path, mode_t mode, Owner owner) {
    const auto place = root.parent_of(path);
    if (::mkdirat(place.directory.get(), place.name.c_str(), 0700) != 0 && errno != EEXIST)
        throw failure("make directory", path);
    give(root, path, owner);
    const auto fd = root.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (::fchmod(fd.get(), mode) != 0)
        throw failure("set the mode of", path);
}

// Files, links and directories of `from` into the directory `to`, given to `owner`; anything else is left out.
void copy_skeleton(const os::RootDir& root, const std::string& from, const std::string& to, Owner owner) {
    for (const auto& name : entries(root, from)) {
        const auto source = fmt::format("{}/{}", from, name);
        const auto target = fmt::format("{}/{}", to, name);
        const auto status = root.status(source);
        if (!status)
            continue;
        if (S_ISDIR(status->st_mode)) {
            make_directory(root, target, status->st_mode & 07777, owner);
            copy_skeleton(root, source, target, owner);
        } else if (S_ISLNK(status->st_mode)) {
            root.make_link(target, root.read_link(source).value_or(""));
            give(root, target, owner);
        } else if (S_ISREG(status->st_mode)) {
            root.write(target, root.read(source), status->st_mode & 07777);
            give(root, target, owner);
        }
    }
}

std::string home_of(const recipe::User& user) {
    return user.home.value_or("/home/" + user.name);
}

// As adduser(8): a directory that is there already stays as it is.
void make_home(const os::RootDir& root, const recipe::User& user, Owner owner) {
    const auto home = home_of(user);
    if (!root.exists(home)) {
        root.make_directories(std::filesystem::path(home).parent_path().string());
        make_directory(root, home, kHomeMode, owner);
        if (root.exists("/etc/skel"))
            copy_skeleton(root, "/etc/skel", home, owner);
    }
    if (user.authorized_keys.empty())
        return;
    make_directory(root, home + "/.ssh", 0700, owner);
    root.write(home + "/.ssh/authorized_keys", joined(user.authorized_keys, "\n") + "\n", 0600);
    give(root, home + "/.ssh/authorized_keys", owner);
}

void check_shell(const os::RootDir& root, const recipe::User& user) {
    if (!root.exists(user.shell))
        throw error(ErrorKind::recipe,
                    "cannot add user {}: the guest has no {}; [system] include needs the package that brings it",
                    quote(user.name), quote(user.shell));
}

// sudoers(5): files there are read in whose names is no '.', and an account's has none.
void allow_sudo(const os::RootDir& root, const recipe::User& user) {
    if (user.sudo == recipe::Sudo::without_password)
        root.write("/etc/sudoers.d/" + user.name, user.name + " ALL=(ALL:ALL) NOPASSWD: ALL\n", 0440);
}

// Where a relative hash file is looked for.
std::filesystem::path folder_of(const plan::Plan& plan) {
    return plan.recipe.file.parent_path();
}

std::string whose(const recipe::User& user) {
    return "user " + quote(user.name);
}

NewUser new_user(const recipe::User& user, std::string password, std::int64_t last_change) {
    NewUser made{user.name, std::move(password), user.groups, last_change};
    if (user.sudo != recipe::Sudo::none)
        made.groups.emplace_back("sudo");
    made.uid = user.uid;
    made.gid = user.gid;
    made.shell = user.shell;
    made.home = user.home.value_or("");
    made.gecos = user.gecos;
    return made;
}

HashedPassword password_of(const plan::Plan& plan, const recipe::Password& password, const std::string& user,
                           const std::string& whose) {
    using Source = recipe::Password::Source;
    const auto known = plan.known.passwords.find(user);
    const bool is_it = known != plan.known.passwords.end() &&
                       (password.source == Source::random ||
                        (password.source == Source::environment &&
                         is_hash_of(known->second, password_text(password, folder_of(plan), whose))));
    return is_it ? HashedPassword{known->second, std::nullopt} : hashed_password(password, folder_of(plan), whose);
}

}  // namespace

void check_passwords(const plan::Plan& plan) {
    const auto& identity = plan.recipe.identity;
    if (identity.root_password)
        password_text(*identity.root_password, folder_of(plan), "root");
    for (const auto& user : identity.users)
        if (user.password)
            password_text(*user.password, folder_of(plan), whose(user));
}

PersonaliseResult apply_accounts(const os::RootDir& root, const plan::Plan& plan, std::int64_t now) {
    const auto& identity = plan.recipe.identity;
    const auto today = now / kSecondsPerDay;
    AccountTables tables;
    auto files = table_files(root);
    for (auto& file : files) file.read(root, tables);

    PersonaliseResult result;
    if (identity.root_password) {
        const auto password = password_of(plan, *identity.root_password, "root", "root");
        set_password(tables, "root", password.hash, today);
        result.root_password = password.clear;
    }
    for (const auto& user : identity.users) {
        const auto password = user.password ? password_of(plan, *user.password, user.name, whose(user))
                                            : HashedPassword{"!", std::nullopt};
        check_shell(root, user);
        const auto ids = add_user(tables, new_user(user, password.hash, today));
        make_home(root, user, {ids.uid, ids.gid});
        allow_sudo(root, user);
        if (password.clear)
            result.user_passwords.emplace_back(user.name, *password.clear);
    }
    for (const auto& file : files) file.write(root, tables);
    return result;
}

void limit_password_dates(const os::RootDir& root, std::int64_t latest) {
    for (const auto* path : {"/etc/shadow", "/etc/shadow-"}) {
        AccountTables tables;
        TableFile file(root, path, &AccountTables::shadow);
        file.read(root, tables);
        limit_last_change(tables.shadow, latest / kSecondsPerDay);
        file.write(root, tables);
    }
}

}  // namespace vprov::render
