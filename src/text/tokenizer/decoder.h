// Decodes tokens to text.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "io/json.h"

namespace rapt {

/// Determines what each token adds to the text. Immutable; safe to use from many threads.
class Decoder {
 public:
  virtual ~Decoder() = default;

  /// What a token of the model adds; the text is the concatenation of these. The result may be part of a character.
  virtual std::string piece(std::string_view token, bool is_first, bool is_last) const = 0;

  /// The same for an added token, which stands for its own text.
  virtual std::string added_piece(std::string_view content, bool is_first, bool is_last) const {
    return piece(content, is_first, is_last);
  }

  /// The form in tokenizer.json.
  virtual Json to_json() const = 0;
};

/// Reads the `decoder` of a tokenizer.json: ByteLevel, BPEDecoder, WordPiece, Metaspace, ByteFallback, Replace, Strip,
/// Fuse or a Sequence of them. For null, tokens are separated by spaces.
/// \throws DataError  for another type, or a field of the wrong kind
std::unique_ptr<Decoder> decoder_from_json(const Json& json, const std::string& name);

}  // namespace rapt
