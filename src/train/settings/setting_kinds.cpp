#include "train/settings/setting_kinds.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "io/escape.h"
#include "io/joined.h"
#include "io/suggest.h"

namespace rapt::setting_kinds {

using Config = TrainConfig;

Setting text(std::string name, std::string Config::*field, std::string value, std::string help) {
  return {.name = std::move(name),
          .type = SettingType::kText,
          .value = std::move(value),
          .help = std::move(help),
          .get = [field](const Config& c) { return (c.*field).empty() ? Texts{} : Texts{c.*field}; },
          .set = [field](Config& c, const Texts& t) { c.*field = t.at(0); }};
}

Setting list(std::string name, Texts Config::*field, std::string value, std::string help) {
  return {.name = std::move(name),
          .type = SettingType::kList,
          .value = std::move(value),
          .help = std::move(help),
          .get = [field](const Config& c) { return c.*field; },
          .set = [field](Config& c, const Texts& t) { c.*field = t; }};
}

Setting words(std::string name, Texts Config::*field, std::string value, std::string help) {
  Setting setting = list(std::move(name), field, std::move(value), std::move(help));
  setting.set = [field](Config& c, const Texts& t) {
    (c.*field).clear();
    for (const std::string& part : t) {
      for (std::size_t begin = 0; begin <= part.size();) {
        const std::size_t end = std::min(part.find(',', begin), part.size());
        if (end > begin) (c.*field).push_back(part.substr(begin, end - begin));
        begin = end + 1;
      }
    }
  };
  return setting;
}

Setting choice(std::string name, std::string Config::*field, Texts choices, std::string help,
               std::map<std::string, std::string> also) {
  const std::string words = joined(choices, "|");
  const auto set = [field, choices, also, words](Config& c, const Texts& t) {
    std::string word = t.at(0);
    std::replace(word.begin(), word.end(), '_', '-');
    if (const auto other = also.find(word); other != also.end()) {
      c.*field = other->second;
      return;
    }
    if (std::find(choices.begin(), choices.end(), word) == choices.end())
      throw std::invalid_argument("must be one of " + words + ", got " + in_quotes(t.at(0)) +
                                  did_you_mean(word, choices));
    c.*field = word;
  };
  return {.name = std::move(name),
          .type = SettingType::kChoice,
          .value = words,
          .help = std::move(help),
          .choices = choices,
          .get = [field](const Config& c) { return (c.*field).empty() ? Texts{} : Texts{c.*field}; },
          .set = set};
}

Setting whole(std::string name, std::int64_t Config::*field, std::int64_t least, std::string help, std::int64_t most) {
  return {.name = std::move(name),
          .type = SettingType::kWhole,
          .value = "N",
          .help = std::move(help),
          .get = [field](const Config& c) { return Texts{std::to_string(c.*field)}; },
          .set = [=](Config& c, const Texts& t) { c.*field = parse_whole(t.at(0), least, most); }};
}

Setting number(std::string name, double Config::*field, Range range, std::string help) {
  return {.name = std::move(name),
          .type = SettingType::kNumber,
          .value = "X",
          .help = std::move(help),
          .get = [field](const Config& c) { return Texts{print_number(c.*field)}; },
          .set = [=](Config& c, const Texts& t) { c.*field = parse_number(t.at(0), range); }};
}

Setting number(std::string name, std::optional<double> Config::*field, Range range, std::string help) {
  return {.name = std::move(name),
          .type = SettingType::kNumber,
          .value = "X",
          .help = std::move(help),
          .get = [field](const Config& c) { return c.*field ? Texts{print_number(*(c.*field))} : Texts{}; },
          .set = [=](Config& c, const Texts& t) { c.*field = parse_number(t.at(0), range); }};
}

Setting on_off(std::string name, bool Config::*field, std::string help) {
  return {.name = std::move(name),
          .type = SettingType::kSwitch,
          .value = "on|off",
          .help = std::move(help),
          .get = [field](const Config& c) { return Texts{c.*field ? "on" : "off"}; },
          .set = [field](Config& c, const Texts& t) { c.*field = parse_switch(t.at(0)); }};
}

Setting on_off(std::string name, std::optional<bool> Config::*field, std::string help) {
  return {.name = std::move(name),
          .type = SettingType::kSwitch,
          .value = "on|off",
          .help = std::move(help),
          .get = [field](const Config& c) { return c.*field ? Texts{*(c.*field) ? "on" : "off"} : Texts{}; },
          .set = [field](Config& c, const Texts& t) { c.*field = parse_switch(t.at(0)); }};
}

Setting period(std::string name, Period Config::*field, PeriodKind kind, std::string help) {
  return {.name = std::move(name),
          .type = SettingType::kPeriod,
          .value = kind == PeriodKind::kLength ? "LENGTH" : "PERIOD",
          .help = std::move(help),
          .get = [field](const Config& c) { return Texts{to_string(c.*field)}; },
          .set = [=](Config& c, const Texts& t) { c.*field = parse_period(t.at(0), kind); }};
}

Setting shorthand(std::string name, std::string value, std::string help,
                  std::function<void(Config&, const std::string&)> set) {
  return {.name = std::move(name),
          .value = std::move(value),
          .help = std::move(help),
          .shorthand = true,
          .get = [](const Config&) { return Texts{}; },
          .set = [set = std::move(set)](Config& c, const Texts& t) { set(c, t.at(0)); }};
}

}  // namespace rapt::setting_kinds
