#include "text/pairs/pair_store.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "io/escape.h"
#include "text/batches/store_fields.h"
#include "text/batches/token_store.h"

namespace rapt {

struct PairStore::Contents {
  std::string path, source_json, target_json, sources_json, key;
  MappedFile file;
  const std::uint16_t* narrow = nullptr;  // one of these two points to the tokens
  const std::int32_t* wide = nullptr;
  Dim size = 0, train_pairs = 0;
  Dim train_source = 0, train_target = 0, source = 0, target = 0;  // tokens of the training part, and of all
  std::int32_t source_vocabulary = 0, target_vocabulary = 0;
  std::span<const std::int64_t> sides;  // [2p + 1]
  std::string_view texts;
  std::span<const std::int64_t> text_sides;  // [2p + 1], or none
  PairStoreOptions options;
  PairStoreCounts counts;
};

namespace {

std::size_t index_of(Dim pair, PairSide side) {
  return 2 * static_cast<std::size_t>(pair) + (side == PairSide::kTarget ? 1 : 0);
}

PairStoreCounts read_counts(const StoreFields& fields, const std::string& name) {
  const std::string text = fields.attribute<std::string>("counts");
  const Json json = parse_json(text, name + ": counts");
  const JsonFields counts(json, name + ": counts");
  return {.empty = counts.integer("empty"),
          .first_empty = counts.string("first_empty"),
          .unequal = counts.integer("unequal"),
          .first_unequal = counts.string("first_unequal"),
          .cut_sources = counts.integer("cut_sources"),
          .cut_targets = counts.integer("cut_targets")};
}

}  // namespace

PairStore PairStore::open(const std::string& path) {
  auto contents = std::make_shared<Contents>();
  Contents& c = *contents;
  c.path = path;
  c.file = MappedFile(path);
  const std::string name = escape_for_terminal(path);
  const Hdf5Contents layout = read_hdf5_contents(c.file.bytes(), path);
  const StoreFields fields(layout, c.file, name);
  if (fields.attribute<std::string>("format") != "rapt pairs") fields.fail("must be a tokenised corpus of pairs");
  if (fields.attribute<std::int64_t>("version") != 1) fields.fail("the corpus of pairs is of a newer version of rapt");
  if (fields.dataset("tokens").type == ElementType::kU16) {
    const auto tokens = fields.rows<std::uint16_t>("tokens", ElementType::kU16, 0);
    c.narrow = tokens.data();
    c.size = static_cast<Dim>(tokens.size());
  } else {
    const auto tokens = fields.rows<std::int32_t>("tokens", ElementType::kI32, 0);
    c.wide = tokens.data();
    c.size = static_cast<Dim>(tokens.size());
  }
  c.sides = fields.rows<std::int64_t>("sides", ElementType::kI64, 0);
  if (c.sides.size() % 2 != 1 || c.sides.back() != c.size) {
    fields.fail("dataset sides must have an odd number of entries up to " + std::to_string(c.size) +
                "; the file is damaged");
  }
  const auto pairs = static_cast<Dim>(c.sides.size() / 2);
  c.train_pairs = fields.count("train_pairs", pairs);
  c.source = fields.count("source_tokens", c.size);
  c.train_source = fields.count("train_source_tokens", c.source);
  c.train_target = c.sides[index_of(c.train_pairs, PairSide::kSource)] - c.train_source;
  c.target = c.size - c.source;
  if (c.train_target < 0 || c.train_target > c.target) fields.fail("the numbers of tokens differ; the file is damaged");
  c.source_vocabulary = static_cast<std::int32_t>(fields.count("source_vocabulary", std::int64_t{1} << 30));
  c.target_vocabulary = static_cast<std::int32_t>(fields.count("target_vocabulary", std::int64_t{1} << 30));
  if (fields.has("texts")) {
    const auto texts = fields.rows<char>("texts", ElementType::kU8, 0);
    c.texts = {texts.data(), texts.size()};
    c.text_sides = fields.rows<std::int64_t>("text_sides", ElementType::kI64, 0);
    if (c.text_sides.size() != c.sides.size()) {
      fields.fail("sides and text_sides must have equally many entries; the file is damaged");
    }
  }
  c.options.max_source_length = fields.count("max_source_length", std::int64_t{1} << 40);
  c.options.max_target_length = fields.count("max_target_length", std::int64_t{1} << 40);
  c.options.keeps_texts = fields.has("texts");
  c.counts = read_counts(fields, name);
  c.key = fields.attribute<std::string>("key");
  c.source_json = fields.text("tokenizer_source");
  c.target_json = fields.text("tokenizer_target");
  c.sources_json = fields.text("sources");
  return PairStore(std::move(contents));
}

bool is_pair_store(const std::string& path) {
  if (!is_token_store(path)) return false;
  try {
    static_cast<void>(PairStore::open(path));
    return true;
  } catch (const DataError&) {
    return false;
  }
}

Dim PairStore::pairs(Part part) const {
  const Dim all = static_cast<Dim>(contents_->sides.size() / 2);
  return part == Part::kTrain ? contents_->train_pairs : all - contents_->train_pairs;
}

Dim PairStore::tokens(Part part, PairSide side) const {
  const Contents& c = *contents_;
  const Dim train = side == PairSide::kSource ? c.train_source : c.train_target;
  return part == Part::kTrain ? train : (side == PairSide::kSource ? c.source : c.target) - train;
}

TokenRange PairStore::range(Dim pair, PairSide side) const {
  const Contents& c = *contents_;
  const std::size_t i = index_of(pair, side);
  if (pair < 0 || i + 1 >= c.sides.size()) throw std::out_of_range("pair store: there is no such pair");
  const TokenRange range{c.sides[i], c.sides[i + 1]};
  if (range.begin < 0 || range.end <= range.begin || range.end > c.size) {
    throw DataError(escape_for_terminal(c.path) + ": pair " + std::to_string(pair) +
                    " lies outside the tokens; the file is damaged");
  }
  return range;
}

void PairStore::copy(TokenRange range, PairSide side, std::span<std::int32_t> to) const {
  const Contents& c = *contents_;
  if (range.begin < 0 || range.end > c.size || range.size() != static_cast<Dim>(to.size())) {
    throw std::out_of_range("pair store: outside the tokens");
  }
  if (c.narrow != nullptr) {
    std::copy_n(c.narrow + range.begin, to.size(), to.begin());
  } else {
    std::copy_n(c.wide + range.begin, to.size(), to.begin());
  }
  const std::int32_t vocabulary = vocabulary_size(side);
  const auto bad = std::ranges::find_if(to, [&](std::int32_t id) { return id < 0 || id >= vocabulary; });
  if (bad == to.end()) return;
  throw DataError(escape_for_terminal(c.path) + ": ids must be below the vocabulary's " + std::to_string(vocabulary) +
                  ", got " + std::to_string(*bad) + " at token " + std::to_string(range.begin + (bad - to.begin())) +
                  "; the file is damaged");
}

bool PairStore::keeps_texts() const { return contents_->options.keeps_texts; }

std::string_view PairStore::text(Dim pair, PairSide side) const {
  const Contents& c = *contents_;
  const std::size_t i = index_of(pair, side);
  if (pair < 0 || i + 1 >= c.text_sides.size()) throw std::out_of_range("pair store: there is no such text");
  const std::int64_t begin = c.text_sides[i], end = c.text_sides[i + 1];
  if (begin < 0 || end < begin || end > static_cast<std::int64_t>(c.texts.size())) {
    throw DataError(escape_for_terminal(c.path) + ": the text of pair " + std::to_string(pair) +
                    " lies outside the texts; the file is damaged");
  }
  return c.texts.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
}

const PairStoreOptions& PairStore::options() const { return contents_->options; }
const PairStoreCounts& PairStore::counts() const { return contents_->counts; }
std::int32_t PairStore::vocabulary_size(PairSide side) const {
  return side == PairSide::kSource ? contents_->source_vocabulary : contents_->target_vocabulary;
}
const std::string& PairStore::path() const { return contents_->path; }
const std::string& PairStore::tokenizer_json(PairSide side) const {
  return side == PairSide::kSource ? contents_->source_json : contents_->target_json;
}
const std::string& PairStore::sources_json() const { return contents_->sources_json; }
const std::string& PairStore::key() const { return contents_->key; }

}  // namespace rapt
