#include "pipeline/debconf_answers.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"

namespace vprov::pipeline {

std::vector<deb::DebconfAnswer> debconf_answers(const plan::Plan& plan) {
    std::vector<deb::DebconfAnswer> answers;
    for (const auto& file : plan.recipe.system.debconf_files) {
        const auto path = recipe::host_path(plan.recipe, file);
        const auto fd = os::open_file(path, O_RDONLY, 0, ErrorKind::recipe);
        struct stat status {};
        if (::fstat(fd.get(), &status) != 0)
            throw system_error(ErrorKind::recipe, errno, "cannot read " + quote(path.native()));
        auto more =
            deb::read_debconf_answers(os::read_file(fd, path.native(), ErrorKind::recipe), quote(path.native()));
        if (has_password(more) && (status.st_mode & S_IROTH) != 0)
            throw error(ErrorKind::recipe, "cannot use {}: there is a password in it, and everybody can read it ({})",
                        quote(path.native()), "chmod o-r " + shell_quote(path.native()));
        std::ranges::move(more, std::back_inserter(answers));
    }
    for (const auto& line : plan.recipe.system.debconf)
        if (auto answer = deb::read_debconf_answer(line))
            answers.push_back(std::move(*answer));
    return answers;
}

bool has_password(const std::vector<deb::DebconfAnswer>& answers) {
    return std::ranges::any_of(answers, [](const auto& answer) { return answer.type == "password"; });
}

}  // namespace vprov::pipeline
