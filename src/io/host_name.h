// The name of this machine, for messages.
#pragma once

#include <string>

namespace rapt {

/// "unknown" if it has none.
std::string host_name();

}  // namespace rapt
