// The output of rapt checkpoint info and rapt checkpoint diff.
#pragma once

#include "options.h"

namespace rapt::app {

int run_checkpoint_info(const Arguments& arguments);
int run_checkpoint_diff(const Arguments& arguments);

}  // namespace rapt::app
