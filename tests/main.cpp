#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "support/source_folder.h"
#include "tensor/instruction_set.h"

const char* rapt::source_folder() { return RAPT_SOURCE_DIR; }

int main(int argc, char** argv) {
  try {
    rapt::hold_instruction_set(std::getenv("RAPT_SIMD"));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return doctest::Context(argc, argv).run();
}
