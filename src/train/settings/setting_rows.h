// The rows of the table of settings, group by group. Each function is in a file with related groups.
#pragma once

#include <limits>

#include "train/settings/numbers.h"
#include "train/settings/setting_table.h"

namespace rapt {

// Ranges of numbers.
constexpr double kNoEnd = std::numeric_limits<double>::infinity();
constexpr Range kPositive{0, kNoEnd, false, true};
constexpr Range kNotNegative{0, kNoEnd, true, true};
constexpr Range kRate{0, 1, true, false};

void add_task(SettingTable& t);         // setting_rows_data.cpp
void add_data(SettingTable& t);         // setting_rows_data.cpp
void add_model(SettingTable& t);        // setting_rows_model.cpp
void add_fine_tuning(SettingTable& t);  // setting_rows_model.cpp
void add_optimiser(SettingTable& t);    // setting_rows_training.cpp
void add_schedule(SettingTable& t);     // setting_rows_training.cpp
void add_periods(SettingTable& t);      // setting_rows_training.cpp
void add_system(SettingTable& t);       // setting_rows_training.cpp

}  // namespace rapt
