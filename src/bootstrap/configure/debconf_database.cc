#include "bootstrap/configure/debconf_database.h"

#include <fmt/format.h>

#include <map>
#include <set>

namespace vprov::configure {
namespace {

struct Question {
    std::string type, value;
    std::set<std::string> owners;
    bool seen = false;
};

}  // namespace

// The formats are those of Debconf::Format::822 (debconf 1.5.82); records stand in the order of their names.
DebconfDatabase debconf_database(const std::vector<deb::DebconfAnswer>& answers) {
    std::map<std::string, Question> questions;
    for (const auto& answer : answers) {
        if (answer.type == "seen") {  // of a question that nobody answers nothing is known
            if (const auto found = questions.find(answer.question); found != questions.end())
                found->second.seen = answer.value == "true";
            continue;
        }
        auto& question = questions[answer.question];
        if (question.type.empty())  // the first answer makes the template
            question.type = answer.type;
        question.value = answer.value;
        question.owners.insert(answer.owner);
        question.seen = true;
    }
    DebconfDatabase database;
    for (const auto& [name, question] : questions) {
        auto& file = question.type == "password" ? database.passwords : database.config;
        file += fmt::format("Name: {}\nTemplate: {}\nValue: {}\nOwners: {}\n{}\n", name, name, question.value,
                            fmt::join(question.owners, ", "), question.seen ? "Flags: seen\n" : "");
        database.templates += fmt::format(
            "Name: {}\nDescription: Dummy template\nExtended_description: This is a fake template used to pre-seed the "
            "debconf database. If you are seeing this, something is probably wrong.\nType: {}\nOwners: {}\n\n",
            name, question.type, name);
    }
    return database;
}

}  // namespace vprov::configure
