#include "text/tokenizer/files/sentencepiece_file.h"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/base64.h"
#include "io/escape.h"
#include "tensor/error.h"
#include "text/tokenizer/files/protobuf_reader.h"
#include "text/tokenizer/unigram_model.h"
#include "text/tokenizer/vocabulary.h"
#include "text/utf8.h"

namespace rapt {

namespace {

constexpr const char* kSpaceMark = "\xE2\x96\x81";  // U+2581, which marks a space in pieces

// Field numbers and values are those of sentencepiece_model.proto.
enum class PieceType : std::uint64_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6
};
enum class ModelType : std::uint64_t { kUnigram = 1, kBpe = 2, kWord = 3, kCharacter = 4 };

struct Piece {
  std::string text;
  float score = 0;
  PieceType type = PieceType::kNormal;
};

struct ModelFile {
  std::vector<Piece> pieces;
  ModelType type = ModelType::kUnigram;
  bool byte_fallback = false;
  bool space_behind_words = false;
  std::string unknown_surface = " \xE2\x81\x87 ";  // U+2047
  std::string replacements;
  bool add_dummy_prefix = true;
  bool remove_extra_spaces = true;
  bool mark_spaces = true;
};

[[noreturn]] void fail(const std::string& name, const std::string& what) {
  throw DataError(tokenizer_subject(name) + " " + what);
}

Piece read_piece(std::string_view bytes, const std::string& name) {
  Piece piece;
  for (ProtobufReader fields(bytes, name); fields.next();) {
    if (fields.number() == 1) piece.text = fields.bytes();
    if (fields.number() == 2) piece.score = fields.number32();
    if (fields.number() == 3) piece.type = static_cast<PieceType>(fields.integer());
  }
  if (piece.text.empty() || find_invalid_utf8(piece.text)) {
    fail(name, "must have pieces of text in UTF-8, got " + in_quotes(piece.text));
  }
  return piece;
}

void read_trainer(ModelFile& file, std::string_view bytes, const std::string& name) {
  for (ProtobufReader fields(bytes, name); fields.next();) {
    if (fields.number() == 3) file.type = static_cast<ModelType>(fields.integer());
    if (fields.number() == 24) file.space_behind_words = fields.boolean();
    if (fields.number() == 35) file.byte_fallback = fields.boolean();
    if (fields.number() == 44) file.unknown_surface = fields.bytes();
  }
}

void read_normalizer(ModelFile& file, std::string_view bytes, const std::string& name) {
  for (ProtobufReader fields(bytes, name); fields.next();) {
    if (fields.number() == 2) file.replacements = fields.bytes();
    if (fields.number() == 3) file.add_dummy_prefix = fields.boolean();
    if (fields.number() == 4) file.remove_extra_spaces = fields.boolean();
    if (fields.number() == 5) file.mark_spaces = fields.boolean();
  }
}

ModelFile read_model_file(std::string_view bytes, const std::string& name) {
  ModelFile file;
  for (ProtobufReader fields(bytes, name); fields.next();) {
    if (fields.number() == 1) file.pieces.push_back(read_piece(fields.bytes(), name));
    if (fields.number() == 2) read_trainer(file, fields.bytes(), name);
    if (fields.number() == 3) read_normalizer(file, fields.bytes(), name);
    if (file.pieces.size() > kMaxVocabulary) {
      fail(name, "must have at most " + std::to_string(kMaxVocabulary) + " pieces, got more");
    }
  }
  return file;
}

void check(const ModelFile& file, const std::string& name) {
  if (file.type != ModelType::kUnigram) {
    const char* got = file.type == ModelType::kBpe         ? "BPE"
                      : file.type == ModelType::kWord      ? "words"
                      : file.type == ModelType::kCharacter ? "characters"
                                                           : "an unknown type";
    fail(name, std::string("must be a SentencePiece model of type unigram, got ") + got +
                   "; transformers writes others as tokenizer.json");
  }
  if (!file.mark_spaces || file.space_behind_words) {
    fail(name, std::string("must have spaces in front of words, as U+2581, got a model that ") +
                   (file.mark_spaces ? "has them behind" : "keeps them as they are"));
  }
  std::size_t unknown = 0;
  for (const Piece& piece : file.pieces) unknown += piece.type == PieceType::kUnknown ? 1 : 0;
  if (unknown != 1) fail(name, "must have one unknown piece, got " + std::to_string(unknown));
}

Json replace(const char* kind, const std::string& pattern, const std::string& content) {
  return {{"type", "Replace"}, {"pattern", {{kind, pattern}}}, {"content", content}};
}

// The order of SentencePiece's Normalizer: replacements; white space at the start, between words and at the end (where
// it is removed even if the text itself has the mark); and the mark before the first word.
Json normalizer_json(const ModelFile& file) {
  Json steps = Json::array();
  if (!file.replacements.empty()) {
    Json table = {
        {"type", "Precompiled"}, {"precompiled_charsmap", to_base64(file.replacements)}, {"longest_match", true}};
    for (const Piece& piece : file.pieces) {
      if (piece.type == PieceType::kUserDefined) table["user_defined"].push_back(piece.text);
    }
    steps.push_back(std::move(table));
  }
  if (file.remove_extra_spaces) {
    steps.push_back(replace("Regex", "\\A +", ""));
    steps.push_back(replace("Regex", " {2,}", " "));
  }
  steps.push_back(replace("String", " ", kSpaceMark));
  if (file.remove_extra_spaces) steps.push_back(replace("Regex", std::string(kSpaceMark) + "+\\z", ""));
  if (file.add_dummy_prefix) steps.push_back({{"type", "Prepend"}, {"prepend", kSpaceMark}});
  return {{"type", "Sequence"}, {"normalizers", std::move(steps)}};
}

Json decoder_json(const ModelFile& file) {
  Json steps = Json::array();
  for (const Piece& piece : file.pieces) {
    if (piece.type == PieceType::kUnknown) steps.push_back(replace("String", piece.text, file.unknown_surface));
  }
  steps.push_back(replace("String", kSpaceMark, " "));
  if (file.byte_fallback) steps.push_back({{"type", "ByteFallback"}});
  steps.push_back({{"type", "Fuse"}});
  if (file.add_dummy_prefix || file.remove_extra_spaces) {
    steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  }
  return {{"type", "Sequence"}, {"decoders", std::move(steps)}};
}

Json added_token(std::int32_t id, const std::string& content, bool special) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", special}};
}

// The entries of a vocab.json in the order of their ids.
std::vector<UnigramToken> tokens_of(std::string_view vocabulary, const std::string& name) {
  std::vector<Vocabulary::Entry> entries = parse_vocabulary(parse_json(vocabulary, name), name, "");
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  std::vector<UnigramToken> tokens;
  for (auto& [text, id] : entries) {
    if (id != static_cast<std::int32_t>(tokens.size())) {
      fail(name, "must have ids from 0 without a gap, got none with id " + std::to_string(tokens.size()));
    }
    tokens.push_back({std::move(text), 0});
  }
  return tokens;
}

}  // namespace

TokenizerParts read_sentencepiece_model(std::string_view bytes, const std::string& name, std::string_view vocabulary,
                                        const std::string& vocabulary_name, OriginalFiles files) {
  const ModelFile file = read_model_file(bytes, name);
  check(file, name);
  std::vector<UnigramToken> tokens = tokens_of(vocabulary, vocabulary_name);
  std::unordered_map<std::string, std::size_t> ids;
  for (std::size_t id = 0; id < tokens.size(); ++id) ids.emplace(tokens[id].text, id);
  std::vector<PieceType> types(tokens.size(), PieceType::kUnused);
  for (const Piece& piece : file.pieces) {
    const auto found = ids.find(piece.text);
    if (found != ids.end()) {
      tokens[found->second].score = piece.score;
      types[found->second] = piece.type;
    } else if (piece.type != PieceType::kControl && piece.type != PieceType::kUnused) {
      fail(vocabulary_name,
           "must have every piece of " + escape_for_terminal(name) + ", got no " + in_quotes(piece.text));
    }
  }
  UnigramOptions options{.unk_id = {}, .byte_fallback = file.byte_fallback, .roles = SentencePieceRoles()};
  options.roles->looks_up_unknown = true;
  options.roles->files = std::move(files);
  Json added = Json::array();
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto id = static_cast<std::int32_t>(i);
    const std::string& text = tokens[i].text;
    const bool special = text == "</s>" || text == "<unk>" || text == "<pad>" || text == "<s>";
    const bool is_language = text.size() > 4 && text.starts_with(">>") && text.ends_with("<<");
    if (special || is_language) added.push_back(added_token(id, text, special));
    if (types[i] == PieceType::kUnknown) {
      options.unk_id = id;
    } else if (special || types[i] == PieceType::kControl) {
      options.roles->control.push_back(id);
    } else if (types[i] == PieceType::kUserDefined) {
      options.roles->user_defined.push_back(id);
    } else if (types[i] == PieceType::kUnused) {
      options.roles->unused.push_back(id);
    } else if (types[i] == PieceType::kByte) {
      options.roles->bytes.push_back(id);
    }
  }
  const Json head = {
      {"added_tokens", std::move(added)}, {"normalizer", normalizer_json(file)}, {"decoder", decoder_json(file)}};
  return read_tokenizer_parts(head, make_unigram_model(std::move(tokens), options, name), name);
}

TokenizerParts read_sentencepiece_model(std::string_view bytes, const std::string& name) {
  ModelFile file = read_model_file(bytes, name);
  check(file, name);
  UnigramOptions options{.unk_id = {}, .byte_fallback = file.byte_fallback, .roles = SentencePieceRoles()};
  Json added = Json::array();
  std::vector<UnigramToken> tokens;
  for (const Piece& piece : file.pieces) {
    const auto id = static_cast<std::int32_t>(tokens.size());
    tokens.push_back({piece.text, piece.score});
    if (piece.type == PieceType::kUnknown) options.unk_id = id;
    if (piece.type == PieceType::kControl) options.roles->control.push_back(id);
    if (piece.type == PieceType::kUserDefined) options.roles->user_defined.push_back(id);
    if (piece.type == PieceType::kUnused) options.roles->unused.push_back(id);
    if (piece.type == PieceType::kByte) options.roles->bytes.push_back(id);
    if (piece.type == PieceType::kUnknown || piece.type == PieceType::kControl) {
      added.push_back(added_token(id, piece.text, true));
    }
  }
  const Json head = {
      {"added_tokens", std::move(added)}, {"normalizer", normalizer_json(file)}, {"decoder", decoder_json(file)}};
  return read_tokenizer_parts(head, make_unigram_model(std::move(tokens), options, name), name);
}

}  // namespace rapt
