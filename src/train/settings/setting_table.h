// Collects the rows of the table of settings (setting_rows.h), group by group.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "train/settings/settings.h"

namespace rapt {

/// Collects the rows of one group after another; the methods determine where a setting is shown.
class SettingTable final {
 public:
  /// \param applies  the runs to which the group's settings apply; not set: all
  /// \param to       the same in words
  void group(std::string name, std::function<bool(const TrainConfig&)> applies = nullptr, std::string to = "") {
    group_ = std::move(name);
    applies_ = std::move(applies);
    applies_to_ = std::move(to);
  }
  Setting& add(Setting setting, std::vector<std::string> aliases = {}) {
    setting.group = group_;
    if (!setting.applies) {
      setting.applies = applies_;
      setting.applies_to = applies_to_;
    }
    setting.aliases = std::move(aliases);
    rows_.push_back(std::move(setting));
    return rows_.back();
  }
  void common(Setting setting, std::vector<std::string> aliases = {}) {
    add(std::move(setting), std::move(aliases)).common = true;
  }
  void free(Setting setting, std::vector<std::string> aliases = {}) {
    add(std::move(setting), std::move(aliases)).resuming = Resuming::kFree;
  }
  void common_free(Setting setting, std::vector<std::string> aliases = {}) {
    Setting& row = add(std::move(setting), std::move(aliases));
    row.common = true;
    row.resuming = Resuming::kFree;
  }
  std::vector<Setting> take() { return std::move(rows_); }

 private:
  std::string group_, applies_to_;
  std::function<bool(const TrainConfig&)> applies_;
  std::vector<Setting> rows_;
};

}  // namespace rapt
