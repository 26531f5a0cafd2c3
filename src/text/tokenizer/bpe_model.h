// Byte pair encoding as a tokenizer's model: a vocabulary, a list of merges and the options of Hugging Face's BPE.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/json.h"
#include "text/tokenizer/token_model.h"
#include "text/tokenizer/vocabulary.h"

namespace rapt {

/// The fields of a BPE model in tokenizer.json.
struct BpeOptions {
  std::optional<std::string> unk_token = {};  ///< replaces unknown characters; without it, they are dropped
  std::optional<std::string> continuing_subword_prefix = {};  ///< prefix of every symbol except a word's first
  std::optional<std::string> end_of_word_suffix = {};         ///< suffix of a word's last symbol: `</w>`
  bool fuse_unk = false;                                      ///< adjacent unknown characters become one token
  bool byte_fallback = false;  ///< unknown characters become `<0x41>` tokens, if those exist
  bool ignore_merges = false;  ///< a word that is a token is not split
};

/// Merges as texts, in the order in which they were learnt.
using MergeTexts = std::vector<std::pair<std::string, std::string>>;

/// \param byte_level  words are bytes, and the vocabulary uses the alphabet of byte_alphabet.h
/// \param name        the file, for messages
/// \throws DataError  for a merge whose parts or result are not in the vocabulary, or an unk_token that is not
std::unique_ptr<TokenModel> make_bpe_model(std::vector<Vocabulary::Entry> vocabulary, const MergeTexts& merges,
                                           const BpeOptions& options, bool byte_level, const std::string& name);

/// Reads the `model` of a tokenizer.json with type BPE. Merges are pairs (`["a", "b"]`) or, in older files, strings
/// (`"a b"`).
/// \throws DataError
std::unique_ptr<TokenModel> bpe_model_from_json(const Json& json, bool byte_level, const std::string& name);

/// vocab.json and merges.txt of a BPE, in the format of GPT-2's files.
/// \throws std::invalid_argument  if the model is not a BPE
std::string vocabulary_json(const TokenModel& model);
std::string merges_text(const TokenModel& model);

/// Reads merges.txt: one pair per line, separated by a space; a first line `#version: ...` and empty lines are skipped.
/// \throws DataError  with the line
MergeTexts parse_merges_text(std::string_view text, const std::string& name);

}  // namespace rapt
