#include "failure.h"

#include <filesystem>
#include <new>
#include <stdexcept>

#include "io/escape.h"
#include "tensor/error.h"
#include "tensor/types.h"

namespace rapt::app {

static Failure bug(const std::string& what) {
  return {70, "a bug in rapt: " + what + "; please report it with the command line"};
}

Failure current_failure() {
  try {
    throw;
  } catch (const Error& error) {
    return {error.code(), error.what()};
  } catch (const std::bad_alloc&) {
    return {71, "out of memory; try a smaller --batch, --context or --width"};
  } catch (const ShapeError& error) {
    return bug(error.what());
  } catch (const std::invalid_argument& error) {
    return {64, error.what()};
  } catch (const std::filesystem::filesystem_error& error) {
    return {74, escape_for_terminal(error.path1().string()) + ": " + error.code().message()};
  } catch (const std::exception& error) {
    return bug(escape_for_terminal(error.what()));
  }
}

}  // namespace rapt::app
