#include "text/batches/token_store.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "io/escape.h"
#include "tensor/error.h"
#include "text/batches/store_fields.h"

namespace rapt {

struct TokenStore::Contents {
  std::string path, tokenizer_json, sources_json, key;
  MappedFile file;
  std::vector<std::int32_t> ids;             // in memory
  std::vector<std::int64_t> document_begin;  // in memory
  const std::uint16_t* narrow = nullptr;     // one of these two points to the tokens
  const std::int32_t* wide = nullptr;
  const std::int64_t* documents = nullptr;  // [document_count + 1]
  Dim size = 0, train_tokens = 0, document_count = 0, train_documents = 0;
  std::int32_t vocabulary = 0;
  std::optional<std::int32_t> end_of_text;
  std::uint64_t train_bytes = 0, validation_bytes = 0;

  std::optional<InstanceOptions> instance_options;  // without them, nothing below is set
  MaskingOptions masking;
  std::span<const std::int64_t> sentences;       // [s + 1]
  std::span<const std::int64_t> instance_begin;  // [k, 2]
  std::span<const std::uint16_t> instance_length;
  std::span<const std::uint8_t> instance_random;  // [k]
  std::vector<std::int64_t> passes;               // [p + 2], non-decreasing
};

// ------------------------------------------------------------------------------------------------------------- opening

namespace {

constexpr const char* kInstances = "instances";

InstanceOptions read_instance_options(const StoreFields& fields) {
  const auto whole = [&](const char* name) { return fields.attribute<std::int64_t>(name, kInstances); };
  InstanceOptions options;
  options.context = whole("context");
  options.passes = whole("passes");
  options.short_probability = fields.attribute<double>("short_probability", kInstances);
  options.document_lines = whole("document_lines");
  options.seed = static_cast<std::uint64_t>(whole("seed"));
  try {
    options.task = instance_task_named(fields.attribute<std::string>("task", kInstances));
    require_instance_options(options);
  } catch (const UsageError& error) {
    fields.fail(std::string(error.what()) + "; the file is damaged or of a newer version of rapt");
  }
  return options;
}

MaskingOptions read_masking_options(const StoreFields& fields) {
  MaskingOptions options;
  options.probability = fields.attribute<double>("mask_probability", kInstances);
  options.most = fields.count("max_predictions", std::int64_t{1} << 30, kInstances);
  options.whole_words = fields.count("whole_words", 1, kInstances) == 1;
  options.dynamic = fields.count("dynamic", 1, kInstances) == 1;
  return options;
}

// The first instance of each pass, validated, because batches are counted with it.
std::vector<std::int64_t> read_passes(const StoreFields& fields, Dim passes, Dim instances) {
  const auto found = fields.rows<std::int64_t>("instances/passes", ElementType::kI64, 0);
  std::vector<std::int64_t> begins(found.begin(), found.end());
  const bool fits = static_cast<Dim>(begins.size()) == passes + 2 && begins.front() == 0 &&
                    begins.back() == instances && std::is_sorted(begins.begin(), begins.end()) && begins[1] > 0;
  if (!fits) {
    fields.fail("instances/passes must ascend from 0 to " + std::to_string(instances) + " in " +
                std::to_string(passes + 2) + " entries; the file is damaged");
  }
  return begins;
}

}  // namespace

TokenStore TokenStore::open(const std::string& path) {
  auto contents = std::make_shared<Contents>();
  contents->path = path;
  contents->file = MappedFile(path);
  const Hdf5Contents layout = read_hdf5_contents(contents->file.bytes(), path);
  const StoreFields fields(layout, contents->file, escape_for_terminal(path));
  if (fields.attribute<std::string>("format") != "rapt tokens") fields.fail("must be a tokenised corpus");
  if (fields.attribute<std::int64_t>("version") != 1) {
    fields.fail("the tokenised corpus is of a newer version of rapt; build it again with: rapt data build");
  }

  const Hdf5Contents::Dataset& tokens = fields.dataset("tokens");
  const Hdf5Contents::Dataset& documents = fields.dataset("documents");
  const bool fits = tokens.shape.size() == 1 && documents.shape.size() == 1 && documents.shape[0] >= 2 &&
                    (tokens.type == ElementType::kU16 || tokens.type == ElementType::kI32) && !tokens.is_string &&
                    documents.type == ElementType::kI64 && !documents.is_string;
  if (!fits) fields.fail("tokens must be u16 or i32 and documents i64, of one axis each");
  contents->size = tokens.shape[0];
  if (tokens.type == ElementType::kU16) {
    contents->narrow = static_cast<const std::uint16_t*>(fields.data(tokens));
  } else {
    contents->wide = static_cast<const std::int32_t*>(fields.data(tokens));
  }
  contents->documents = static_cast<const std::int64_t*>(fields.data(documents));
  contents->document_count = documents.shape[0] - 1;
  contents->train_tokens = fields.count("train_tokens", contents->size);
  contents->train_documents = fields.count("train_documents", contents->document_count);
  contents->vocabulary = static_cast<std::int32_t>(fields.count("vocabulary", std::int64_t{1} << 30));
  if (const auto end = fields.attribute<std::int64_t>("end_of_text"); end >= 0) {
    contents->end_of_text = static_cast<std::int32_t>(fields.count("end_of_text", contents->vocabulary - 1));
  }
  contents->train_bytes = static_cast<std::uint64_t>(fields.count("train_bytes", INT64_MAX));
  contents->validation_bytes = static_cast<std::uint64_t>(fields.count("validation_bytes", INT64_MAX));
  contents->key = fields.attribute<std::string>("key");
  contents->tokenizer_json = fields.text("tokenizer");
  contents->sources_json = fields.text("sources");
  if (fields.has("instances/begin")) {
    contents->instance_options = read_instance_options(fields);
    contents->masking = read_masking_options(fields);
    contents->sentences = fields.rows<std::int64_t>("sentences", ElementType::kI64, 0);
    contents->instance_begin = fields.rows<std::int64_t>("instances/begin", ElementType::kI64, 2);
    contents->instance_length = fields.rows<std::uint16_t>("instances/length", ElementType::kU16, 2);
    contents->instance_random = fields.rows<std::uint8_t>("instances/random", ElementType::kU8, 0);
    const std::size_t count = contents->instance_random.size();
    if (contents->instance_begin.size() != 2 * count || contents->instance_length.size() != 2 * count) {
      fields.fail("the datasets in /instances must have equally many rows; the file is damaged");
    }
    contents->passes = read_passes(fields, contents->instance_options->passes, static_cast<Dim>(count));
  }
  return TokenStore(std::move(contents));
}

TokenStore TokenStore::from_ids(std::vector<std::int32_t> ids, std::int32_t vocabulary, Dim train_tokens,
                                std::vector<std::int64_t> documents, std::optional<std::int32_t> end_of_text) {
  const auto size = static_cast<Dim>(ids.size());
  if (train_tokens < 0 || train_tokens > size) {
    throw std::invalid_argument("token store: the training part must be from 0 to " + std::to_string(size) +
                                " tokens, got " + std::to_string(train_tokens));
  }
  if (documents.empty()) {
    documents = {0};
    if (train_tokens > 0) documents.push_back(train_tokens);
    if (train_tokens < size) documents.push_back(size);
  }
  const auto boundary = std::find(documents.begin(), documents.end(), train_tokens);
  if (boundary == documents.end() || documents.front() != 0 || documents.back() != size) {
    throw std::invalid_argument("token store: documents must begin at 0, end at the ids' end, and not span both parts");
  }
  auto contents = std::make_shared<Contents>();
  contents->train_documents = boundary - documents.begin();
  contents->ids = std::move(ids);
  contents->document_begin = std::move(documents);
  contents->wide = contents->ids.data();
  contents->documents = contents->document_begin.data();
  contents->document_count = static_cast<Dim>(contents->document_begin.size()) - 1;
  contents->size = size;
  contents->train_tokens = train_tokens;
  contents->vocabulary = vocabulary;
  contents->end_of_text = end_of_text;
  return TokenStore(std::move(contents));
}

bool is_token_store(const std::string& path) {
  const FileDescriptor file = open_regular_file(path);
  std::string signature(8, '\0');
  if (file_size(file, path) < signature.size()) return false;
  read_at(file, path, 0, signature.data(), signature.size());
  return signature == "\x89HDF\r\n\x1A\n";
}

// ------------------------------------------------------------------------------------------------------------- reading

Dim TokenStore::size() const { return contents_->size; }
std::int32_t TokenStore::vocabulary_size() const { return contents_->vocabulary; }
std::optional<std::int32_t> TokenStore::end_of_text() const { return contents_->end_of_text; }
const std::string& TokenStore::path() const { return contents_->path; }
const std::string& TokenStore::tokenizer_json() const { return contents_->tokenizer_json; }
const std::string& TokenStore::sources_json() const { return contents_->sources_json; }
const std::string& TokenStore::key() const { return contents_->key; }

TokenRange TokenStore::part(Part part) const {
  const Contents& c = *contents_;
  return part == Part::kTrain ? TokenRange{0, c.train_tokens} : TokenRange{c.train_tokens, c.size};
}

TokenRange TokenStore::documents(Part part) const {
  const Contents& c = *contents_;
  return part == Part::kTrain ? TokenRange{0, c.train_documents} : TokenRange{c.train_documents, c.document_count};
}

std::uint64_t TokenStore::text_bytes(Part part) const {
  return part == Part::kTrain ? contents_->train_bytes : contents_->validation_bytes;
}

TokenRange TokenStore::document(Dim index) const {
  const Contents& c = *contents_;
  if (index < 0 || index >= c.document_count) throw std::out_of_range("token store: there is no such document");
  const TokenRange range{c.documents[index], c.documents[index + 1]};
  if (range.begin < 0 || range.end < range.begin || range.end > c.size) {
    throw DataError(escape_for_terminal(c.path) + ": document " + std::to_string(index) +
                    " lies outside the tokens; the file is damaged");
  }
  return range;
}

void TokenStore::copy(Dim begin, std::span<std::int32_t> to) const {
  const Contents& c = *contents_;
  if (begin < 0 || begin + static_cast<Dim>(to.size()) > c.size)
    throw std::out_of_range("token store: outside the tokens");
  if (c.narrow != nullptr) {
    std::copy_n(c.narrow + begin, to.size(), to.begin());
  } else {
    std::copy_n(c.wide + begin, to.size(), to.begin());
  }
  const auto bad = std::find_if(to.begin(), to.end(), [&](std::int32_t id) { return id < 0 || id >= c.vocabulary; });
  if (bad == to.end()) return;
  throw DataError(escape_for_terminal(c.path) + ": ids must be below the vocabulary's " + std::to_string(c.vocabulary) +
                  ", got " + std::to_string(*bad) + " at token " + std::to_string(begin + (bad - to.begin())) +
                  "; the file is damaged");
}

// ----------------------------------------------------------------------------------------------------------- instances

const std::optional<InstanceOptions>& TokenStore::instance_options() const { return contents_->instance_options; }
const MaskingOptions& TokenStore::masking() const { return contents_->masking; }

TokenRange TokenStore::instances(Part part, Dim pass) const {
  const Contents& c = *contents_;
  if (!c.instance_options) return {};
  const Dim passes = part == Part::kTrain ? c.instance_options->passes : 1;
  if (pass < 0 || pass >= passes) throw std::out_of_range("token store: there is no such pass");
  const auto at = static_cast<std::size_t>(part == Part::kTrain ? pass : c.instance_options->passes);
  return {c.passes[at], c.passes[at + 1]};
}

Instance TokenStore::instance(Dim index) const {
  const Contents& c = *contents_;
  if (index < 0 || index >= static_cast<Dim>(c.instance_random.size())) {
    throw std::out_of_range("token store: there is no such instance");
  }
  const auto i = static_cast<std::size_t>(index);
  const auto stretch = [&](std::size_t at) {
    const Dim begin = c.instance_begin[at], length = c.instance_length[at];
    return TokenRange{begin, begin > c.size ? begin : begin + length};
  };
  const Instance instance{stretch(2 * i), stretch(2 * i + 1), c.instance_random[i] == 1};
  const bool pairs = c.instance_options->task == InstanceTask::kMlmNsp;
  const auto lies_within = [&](TokenRange range) { return range.begin >= 0 && range.end <= c.size; };
  const Dim text = instance.first.size() + instance.second.size();
  const bool fits = lies_within(instance.first) && lies_within(instance.second) && instance.first.size() > 0 &&
                    (instance.second.size() > 0) == pairs && c.instance_random[i] <= (pairs ? 1 : 0) &&
                    text + frame_tokens(c.instance_options->task) <= c.instance_options->context;
  if (!fits) {
    throw DataError(escape_for_terminal(c.path) + ": instance " + std::to_string(index) +
                    " does not fit the tokens or the context; the file is damaged");
  }
  return instance;
}

void TokenStore::sentences_within(TokenRange tokens, std::vector<Dim>& begins) const {
  const std::span<const std::int64_t> sentences = contents_->sentences;
  auto at = std::upper_bound(sentences.begin(), sentences.end(), tokens.begin);
  for (; at != sentences.end() && *at < tokens.end; ++at) {
    if (*at > tokens.begin) begins.push_back(*at);  // otherwise the file is damaged
  }
}

void TokenStore::require_tokenizer(const Tokenizer& tokenizer) const {
  if (contents_->path.empty() || tokenizer.to_json() == contents_->tokenizer_json) return;
  throw ConfigError(escape_for_terminal(contents_->path) + ": must be made with the tokenizer in use, got one with " +
                    std::to_string(contents_->vocabulary) + " tokens where this has " +
                    std::to_string(tokenizer.vocabulary_size()) + "; build it again with: rapt data build --tokenizer");
}

}  // namespace rapt
