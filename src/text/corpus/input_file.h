// A file at the time it was read: its name, its size and the digest of its bytes.
#pragma once

#include <cstdint>
#include <string>

#include "io/json.h"
#include "text/corpus/input.h"

namespace rapt {

struct InputFile {
  std::string name;         ///< as given, escaped for terminals
  std::uint64_t bytes = 0;  ///< for a directory, of all its files
  std::string digest;       ///< text/corpus/digest.h
};

/// Reads the input once.
InputFile describe(const Input& input);

/// The form in token stores and checkpoints: `{"name": "a.txt", "bytes": 1, "xxh3_128": "..."}`.
Json to_json(const InputFile& file);
/// \param where  the name of the JSON in errors
InputFile input_file_from(const Json& json, const std::string& where);

}  // namespace rapt
