#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "support/source_folder.h"

const char* rapt::source_folder() { return RAPT_SOURCE_DIR; }
