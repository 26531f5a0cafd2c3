// Opening tokenizers: tokenizer.json, vocab.txt, folders of Hugging Face and OpenAI, vocabularies with their merges.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "text/tokenizer/tokenizer.h"

namespace rapt {

/// Reads a tokenizer.json. \param name  the file, for messages
/// \throws DataError  with the file and what is wrong in it
std::unique_ptr<Tokenizer> tokenizer_from_json(std::string_view json, const std::string& name);

/// Reads a vocab.json and a merges.txt. Tokens that end in `</w>` make it GPT-1's kind (lower-cased, words and
/// punctuation apart), else it is GPT-2's. `<|endoftext|>`, `<s>`, `<pad>`, `</s>`, `<unk>` and `<mask>` become special
/// tokens. \throws DataError
std::unique_ptr<Tokenizer> tokenizer_from_vocabulary_and_merges(std::string_view vocabulary, std::string_view merges,
                                                                const std::string& name);

/// Opens a tokenizer.json, or BERT's vocab.txt (any name that ends in .txt), or SentencePiece's m.model (any that ends
/// in .model), or a folder: with tokenizer.json, or vocab.txt, or vocab.json and merges.txt, encoder.json and
/// vocab.bpe, encoder_bpe_40000.json and vocab_40000.bpe. What read_vocabulary_text wants to know of a
/// tokenizer_config.json is taken from the one beside a vocab.txt of that name. Every file may be gzipped and then ends
/// in .gz. \throws MissingInputError  nothing there, or a folder without any of these \throws DataError          a
/// damaged or unsupported file, one over 256 MiB
std::unique_ptr<Tokenizer> load_tokenizer(const std::string& path);

}  // namespace rapt
