// How an exception becomes what the user reads and an exit code.
#pragma once

#include <string>

namespace rapt::app {

struct Failure {
  int code = 0;  ///< docs/command-line.md
  std::string message;
};

/// Of the exception that is being handled.
Failure current_failure();

}  // namespace rapt::app
