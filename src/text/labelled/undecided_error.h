// What is thrown where an option would decide how input is meant.
#pragma once

#include <string>
#include <utility>

#include "tensor/error.h"

namespace rapt {

/// Input that could be meant in several ways, or for another purpose, until an option says so. The program adds the
/// option to what was typed and shows the command behind the message.
class UndecidedError final : public DataError {
 public:
  /// \param option  with its value: `--text-column 2`
  UndecidedError(const std::string& message, std::string option) : DataError(message), option_(std::move(option)) {}
  const std::string& option() const { return option_; }

 private:
  std::string option_;
};

}  // namespace rapt
