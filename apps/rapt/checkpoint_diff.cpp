// rapt checkpoint diff: which tensors of two models differ, and by how much.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>

#include "checkpoint_views.h"
#include "io/escape.h"
#include "terminal.h"
#include "train/files/checkpoint_file.h"
#include "train/files/pretrained.h"
#include "train/files/run_folder.h"

namespace rapt::app {

namespace fs = std::filesystem;

namespace {

// One tensor of either side, wherever it is stored.
struct ComparedTensor {
  std::string name;
  DType dtype{};
  std::vector<Dim> shape;
  std::function<std::vector<char>()> bytes;

  std::string kind() const { return fmt::format("{} [{}]", name_of(dtype), fmt::join(shape, ", ")); }
};

// A checkpoint, or a Hugging Face directory, whose parameters get the names used in checkpoints.
class Side {
 public:
  Side(const std::string& source, bool weights_only) {
    if (fs::is_directory(source) || weights_only) {
      model_ = open_pretrained(source);
      model_->network->merge_adapters();
      // In a network with a task head, the backbone's parameters have a prefix; otherwise they have none.
      const std::string prefix = backbone_prefix(model_->network->config());
      for (NamedParameter& p : parameters_of(model_->network->module()))
        add("model/" + p.name.substr(p.name.starts_with(prefix) ? prefix.size() : 0), p.variable.value());
      for (auto& [name, text] : named_texts(model_->tokenizers)) texts_[name] = std::move(text);
      return;
    }
    file_.emplace(source);
    for (const auto& t : file_->tensors()) {
      tensors_.push_back({t.name, t.dtype, t.shape, [this, &t] {
                            std::vector<char> bytes(static_cast<std::size_t>(t.count()) * size_of(t.dtype));
                            file_->read_into(t.name, t.dtype, bytes.data(), t.count());
                            return bytes;
                          }});
    }
    for (const auto& [name, value] : file_->state()) {
      std::string& text = state_[name];
      std::visit([&text](const auto& v) { text = fmt::format("{}", v); }, value);
    }
    for (const std::string& name : file_->texts()) texts_[name] = file_->text(name);
  }
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  const std::vector<ComparedTensor>& tensors() const { return tensors_; }
  const ComparedTensor* find(const std::string& name) const {
    const auto found = std::ranges::find(tensors_, name, &ComparedTensor::name);
    return found == tensors_.end() ? nullptr : &*found;
  }
  const std::map<std::string, std::string>& state() const { return state_; }
  std::string text(const std::string& name) const {
    const auto found = texts_.find(name);
    return found == texts_.end() ? "" : found->second;
  }

 private:
  void add(const std::string& name, const Tensor& value) {
    const std::span<const Dim> extents = value.shape().extents();
    tensors_.push_back({name, value.dtype(), {extents.begin(), extents.end()}, [value] {
                          std::vector<char> bytes(static_cast<std::size_t>(value.size()) * size_of(value.dtype()));
                          std::memcpy(bytes.data(), value.raw(), bytes.size());
                          return bytes;
                        }});
  }

  std::optional<CheckpointFile> file_;
  std::optional<Pretrained> model_;
  std::vector<ComparedTensor> tensors_;
  std::map<std::string, std::string> state_, texts_;
};

// Sizes of a difference, for one tensor or for several together.
struct Difference {
  double largest = 0;                     // of one element
  double squares = 0, first_squares = 0;  // sums of squares, of the differences and of the first side

  void add(double a, double b) {
    // NaN beside a number, which comparisons would not find.
    if (std::isnan(a) != std::isnan(b)) largest = HUGE_VAL;
    if (!std::isnan(a) && !std::isnan(b)) largest = std::max(largest, std::abs(a - b));
    squares += (a - b) * (a - b);
    first_squares += a * a;
  }
  std::string text() const { return fmt::format("{:>12.3g}{:>12.3g}", largest, std::sqrt(squares / first_squares)); }
};

template <typename T>
void add_elements(Difference& difference, const std::vector<char>& a, const std::vector<char>& b) {
  for (std::size_t at = 0; at < a.size(); at += sizeof(T)) {
    T x, y;
    std::memcpy(&x, a.data() + at, sizeof(T));
    std::memcpy(&y, b.data() + at, sizeof(T));
    difference.add(static_cast<double>(x), static_cast<double>(y));
  }
}

void add_tensor(Difference& difference, DType dtype, const std::vector<char>& a, const std::vector<char>& b) {
  dispatch_element(dtype, [&]<typename T>() { add_elements<T>(difference, a, b); });
}

void print_line(const std::string& name, const std::string& what) {
  out(fmt::format("{:<48} {}\n", escape_for_terminal(name), escape_for_terminal(what)));
}

// Prints the tensors that differ, and returns their number.
std::size_t compare_tensors(const Side& a, const Side& b) {
  std::size_t count = 0, sized = 0;
  Difference parameters;
  for (const ComparedTensor& t : a.tensors()) {
    const ComparedTensor* other = b.find(t.name);
    const bool comparable = other != nullptr && other->shape == t.shape && other->dtype == t.dtype;
    if (!comparable) {
      ++count;
      print_line(t.name, other == nullptr ? t.kind() + " only in the first" : t.kind() + " and " + other->kind());
      continue;
    }
    const std::vector<char> ours = t.bytes(), theirs = other->bytes();
    if (t.name.starts_with("model/")) add_tensor(parameters, t.dtype, ours, theirs);
    if (ours == theirs) continue;
    if (sized++ == 0) print_line("", fmt::format("{:>12}{:>12}", "max |A - B|", "relative L2"));
    Difference difference;
    add_tensor(difference, t.dtype, ours, theirs);
    print_line(t.name, difference.text());
    ++count;
  }
  for (const ComparedTensor& t : b.tensors()) {
    if (a.find(t.name) != nullptr) continue;
    print_line(t.name, t.kind() + " only in the second");
    ++count;
  }
  if (sized > 0) print_line("all common parameters", parameters.text());
  return count;
}

std::size_t compare_state(const Side& a, const Side& b) {
  std::map<std::string, std::pair<std::string, std::string>> values;
  for (const auto& [name, value] : a.state()) values[name].first = value;
  for (const auto& [name, value] : b.state()) values[name].second = value;
  std::size_t count = 0;
  for (const auto& [name, both] : values) {
    if (both.first == both.second) continue;
    print_line("state " + name, both.first + " and " + both.second);
    ++count;
  }
  return count;
}

// Here a run folder stands for its last.h5, because the latest state is compared.
std::string last_of(const std::string& path) {
  const RunFolder folder{path};
  return fs::is_directory(path) && fs::exists(folder.last()) ? folder.last() : model_source(path);
}

}  // namespace

int run_checkpoint_diff(const Arguments& arguments) {
  const std::string first = last_of(arguments.positional(0)), second = last_of(arguments.positional(1));
  const bool weights_only = fs::is_directory(first) || fs::is_directory(second);
  const Side a(first, weights_only), b(second, weights_only);
  std::size_t count = compare_tensors(a, b) + compare_state(a, b);
  const auto differs = [&](const char* name) { return a.text(name) != b.text(name); };
  if (differs("tokenizer") || differs("tokenizer_source") || differs("tokenizer_target")) {
    ++count;
    out("the tokenizers differ\n");
  }
  if (weights_only) out("not compared: optimiser and state, which Hugging Face directories do not have\n");
  for (const char* name : {"config", "manifest"}) {
    if (a.text(name) != b.text(name))
      out(fmt::format("ignored: /{} differs (it records how the run was started)\n", name));
  }
  out(count == 0 ? "equal\n" : fmt::format("{} difference{}\n", count, count == 1 ? "" : "s"));
  return count == 0 ? 0 : 1;
}

}  // namespace rapt::app
