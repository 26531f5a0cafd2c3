// The root of the repository. A function in its own file, so that a clone elsewhere does not recompile other tests.
#pragma once

namespace rapt {

const char* source_folder();

}  // namespace rapt
