// The error for input whose meaning an option would decide.
#pragma once

#include <string>
#include <utility>

#include "tensor/error.h"

namespace rapt {

/// Input that is ambiguous, or seems meant for another purpose, until an option decides. The program adds the option to
/// the typed command and shows the result at the end of the message.
class UndecidedError final : public DataError {
 public:
  /// \param option  with its value: `--text-column 2`
  UndecidedError(const std::string& message, std::string option) : DataError(message), option_(std::move(option)) {}
  const std::string& option() const { return option_; }

 private:
  std::string option_;
};

}  // namespace rapt
