// The root of the repository. A function of one file, so that no other test is compiled anew for a clone elsewhere.
#pragma once

namespace rapt {

const char* source_folder();

}  // namespace rapt
