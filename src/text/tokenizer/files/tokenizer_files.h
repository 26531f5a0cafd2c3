// Opens tokenizers: tokenizer.json, vocab.txt, folders of Hugging Face and OpenAI, vocabularies with their merges.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "text/tokenizer/tokenizer.h"

namespace rapt {

/// Reads a tokenizer.json. \param name  the file, for messages
/// \throws DataError  naming the file and the error in it
std::unique_ptr<Tokenizer> tokenizer_from_json(std::string_view json, const std::string& name);

/// Reads a vocab.json and a merges.txt. If tokens end in `</w>`, it is GPT-1's kind (lower-cased, words and punctuation
/// separated); otherwise it is GPT-2's. `<|endoftext|>`, `<s>`, `<pad>`, `</s>`, `<unk>` and `<mask>` become special
/// tokens.
///
/// \throws DataError
std::unique_ptr<Tokenizer> tokenizer_from_vocabulary_and_merges(std::string_view vocabulary, std::string_view merges,
                                                                const std::string& name);

/// Opens a tokenizer.json, BERT's vocab.txt (any name that ends in .txt), SentencePiece's m.model (any name that ends
/// in .model), or a folder with tokenizer.json, vocab.txt, vocab.json and merges.txt, encoder.json and vocab.bpe, or
/// encoder_bpe_40000.json and vocab_40000.bpe. The settings that read_vocabulary_text needs come from a
/// tokenizer_config.json beside the vocab.txt. Every file may be gzipped and then ends in .gz.
///
/// \throws MissingInputError  if nothing is there, or the folder has none of these
/// \throws DataError          for a damaged or unsupported file, or one over 256 MiB
std::unique_ptr<Tokenizer> load_tokenizer(const std::string& path);

}  // namespace rapt
