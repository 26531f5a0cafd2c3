#include "text/corpus/grammar.h"

#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "tensor/error.h"

namespace rapt {

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static char lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }
static char upper(char c) { return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c; }

static std::string_view without_margins(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

// ------------------------------------------------------------------------------------------------------------- parsing

class GrammarParser final {
 public:
  GrammarParser(Grammar& grammar, std::string_view text) : grammar_(grammar), text_(text) {}

  void parse() {
    std::string line;
    while (next_line(line)) {
      const std::string_view content = without_margins(line);
      if (content.empty() || content.front() == '#') continue;
      if (content.front() == '[') {
        parse_header(content);
      } else {
        parse_alternative(content);
      }
    }
    check_references();
  }

 private:
  using Kind = Grammar::Kind;

  [[noreturn]] void fail(int line, const std::string& message) const {
    throw DataError(grammar_.name_ + ":" + std::to_string(line) + ": " + message);
  }

  // Joins lines that end in a backslash; line_ is the number of the first one.
  bool next_line(std::string& line) {
    line.clear();
    line_ += continued_ + 1;
    continued_ = 0;
    while (at_ < text_.size()) {
      const std::size_t end = std::min(text_.find('\n', at_), text_.size());
      line += text_.substr(at_, end - at_);
      at_ = end + 1;
      if (line.empty() || line.back() != '\\') return true;
      line.pop_back();
      ++continued_;
    }
    return !line.empty();
  }

  void parse_header(std::string_view content) {
    if (content.back() != ']') fail(line_, "a rule's header must end in ]");
    content = content.substr(1, content.size() - 2);
    const std::size_t colon = content.find(':');
    const std::string name(without_margins(content.substr(0, colon)));
    rule_ = &grammar_.rules_[name];
    if (!rule_->alternatives.empty() || !rule_->fields.empty()) fail(line_, "rule " + name + " is there twice");
    rule_->line = line_;
    std::string_view rest = colon == std::string_view::npos ? "" : content.substr(colon + 1);
    for (rest = without_margins(rest); !rest.empty(); rest = without_margins(rest)) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      add_field(rest.substr(0, end));
      rest.remove_prefix(end);
    }
    if (rule_->fields.empty()) rule_->fields.push_back({.name = "", .fallback = "", .distinct = true});
  }

  void add_field(std::string_view word) {
    Grammar::Field field;
    const std::size_t equals = word.find('=');
    if (equals != std::string_view::npos) {
      field.fallback = word.substr(equals + 1);
      field.has_fallback = true;
      word = word.substr(0, equals);
    }
    field.distinct = rule_->fields.empty();
    if (word.ends_with('!')) {
      field.distinct = true;
      word.remove_suffix(1);
    }
    field.name = word;
    known_.insert(field.name);
    rule_->fields.push_back(std::move(field));
  }

  void parse_alternative(std::string_view content) {
    if (rule_ == nullptr) fail(line_, "text before the first [rule]");
    std::vector<Grammar::Sequence> fields;
    std::size_t at = 0;
    while (true) {
      Grammar::Sequence field = parse_sequence(content, at, 0);
      trim_ends(field);
      fields.push_back(std::move(field));
      if (at == content.size()) break;
      ++at;  // the |
    }
    const bool hands_on = fields.size() == 1 && fields[0].size() == 1 && fields[0][0].kind == Kind::kReference;
    for (std::size_t i = fields.size(); i < rule_->fields.size() && !hands_on; ++i) {
      const Grammar::Field& field = rule_->fields[i];
      if (!field.has_fallback) fail(line_, "field " + field.name + " is missing");
      fields.push_back({{.text = field.fallback, .line = line_}});
    }
    if (fields.size() > rule_->fields.size()) fail(line_, "more fields than the header names");
    rule_->alternatives.push_back(std::move(fields));
  }

  static void trim_ends(Grammar::Sequence& sequence) {
    if (!sequence.empty() && sequence.front().kind == Kind::kText) {
      std::string& text = sequence.front().text;
      text.erase(0, text.find_first_not_of(' '));
    }
    if (!sequence.empty() && sequence.back().kind == Kind::kText) {
      std::string& text = sequence.back().text;
      text.erase(text.find_last_not_of(' ') + 1);
    }
    std::erase_if(sequence, [](const Grammar::Node& node) { return node.kind == Kind::kText && node.text.empty(); });
  }

  // Up to the | or, inside parentheses, the closing ); leaves `at` there.
  Grammar::Sequence parse_sequence(std::string_view text, std::size_t& at, int depth) {
    Grammar::Sequence sequence;
    while (at < text.size() && text[at] != '|' && !(depth > 0 && text[at] == ')')) {
      if (text[at] == '{') {
        const std::size_t end = text.find('}', at);
        if (end == std::string_view::npos) fail(line_, "a { without its }");
        sequence.push_back(parse_reference(text.substr(at + 1, end - at - 1)));
        at = end + 1;
      } else if (text[at] == '(') {
        sequence.push_back(parse_choice(text, at, depth));
      } else {
        if (text[at] == '}' || text[at] == ')') fail(line_, std::string("a ") + text[at] + " that closes nothing");
        const std::size_t end = std::min(text.find_first_of("{}()|", at), text.size());
        sequence.push_back({.text = std::string(text.substr(at, end - at)), .line = line_});
        at = end;
      }
    }
    return sequence;
  }

  Grammar::Node parse_choice(std::string_view text, std::size_t& at, int depth) {
    Grammar::Node node{.kind = Kind::kChoice, .line = line_};
    do {
      ++at;  // the ( or the |
      node.choices.push_back(parse_sequence(text, at, depth + 1));
    } while (at < text.size() && text[at] == '|');
    if (at == text.size()) fail(line_, "a ( without its )");
    ++at;
    return node;
  }

  Grammar::Node parse_reference(std::string_view inside) {
    Grammar::Node node{.kind = Kind::kReference, .line = line_};
    if (inside.empty()) fail(line_, "{} names nothing");
    node.capital = is_upper(inside.front());
    std::string name(inside);
    name.front() = lower(name.front());
    if (name == "a") node.kind = Kind::kArticle;
    if (name == "p") node.kind = Kind::kNewLine;
    if (const std::size_t equals = name.find('='); equals != std::string::npos) {
      node.kind = Kind::kBind;
      node.field = name.substr(equals + 1);
      name.resize(equals);
      known_.insert(name);
      variables_.insert(name);
    } else if (const std::size_t dot = name.find('.'); dot != std::string::npos) {
      node.field = name.substr(dot + 1);
      name.resize(dot);
    }
    node.text = std::move(name);
    return node;
  }

  void check_references() const {
    for (const auto& [name, rule] : grammar_.rules_) {
      if (rule.alternatives.empty()) fail(rule.line, "rule " + name + " has no alternatives");
      for (const auto& alternative : rule.alternatives) {
        for (const Grammar::Sequence& field : alternative) check_references(field);
      }
    }
  }

  void check_references(const Grammar::Sequence& sequence) const {
    for (const Grammar::Node& node : sequence) {
      for (const Grammar::Sequence& choice : node.choices) check_references(choice);
      if (node.kind == Kind::kBind && grammar_.rules_.contains(node.text)) {
        fail(node.line, node.text + " is the name of a variable and of a rule");
      }
      if (node.kind == Kind::kBind && !grammar_.rules_.contains(node.field)) {
        fail(node.line, "there is no rule " + node.field);
      }
      if (node.kind != Kind::kReference) continue;
      const bool known = node.field.empty() ? known_.contains(node.text) || grammar_.rules_.contains(node.text)
                                            : variables_.contains(node.text) && known_.contains(node.field);
      if (!known) fail(node.line, "{" + node.text + (node.field.empty() ? "" : "." + node.field) + "} is not defined");
    }
  }

  Grammar& grammar_;
  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 0, continued_ = 0;
  Grammar::Rule* rule_ = nullptr;
  std::set<std::string, std::less<>> known_, variables_;  // fields and variables; variables alone
};

Grammar::Grammar(std::string_view text, std::string_view name) : name_(name) { GrammarParser(*this, text).parse(); }

// ----------------------------------------------------------------------------------------------------------- expanding

class GrammarExpansion final {
 public:
  GrammarExpansion(const Grammar& grammar, Rng rng) : grammar_(grammar), rng_(rng) {}

  std::string expand(const Grammar::Rule& rule) {
    std::string out;
    write(first_field(rule), out);
    return out;
  }

 private:
  using Kind = Grammar::Kind;
  struct Value {
    std::string text;
    bool distinct;
  };
  struct Binding {
    std::string variable;
    std::vector<std::pair<std::string, Value>> fields;
  };
  using Choice = std::pair<const Grammar::Rule*, std::size_t>;

  [[noreturn]] void fail(const Grammar::Node& node, const std::string& message) const {
    throw DataError(grammar_.name_ + ":" + std::to_string(node.line) + ": " + message);
  }

  // An alternative of the rule, or of the rule that it passes on to.
  Choice choose(const Grammar::Rule& rule) {
    const std::size_t index = rng_.below(rule.alternatives.size());
    const std::vector<Grammar::Sequence>& fields = rule.alternatives[index];
    if (fields.size() == 1 && fields[0].size() == 1) {
      const Grammar::Node& only = fields[0][0];
      if (only.kind == Kind::kReference && only.field.empty()) {
        const auto next = grammar_.rules_.find(only.text);
        if (next != grammar_.rules_.end() && !only.capital) return choose(next->second);
      }
    }
    return {&rule, index};
  }

  const Grammar::Sequence& first_field(const Grammar::Rule& rule) {
    const auto [chosen, index] = choose(rule);
    return chosen->alternatives[index][0];
  }

  void write(const Grammar::Sequence& sequence, std::string& out) {
    for (const Grammar::Node& node : sequence) write(node, out);
  }

  void write(const Grammar::Node& node, std::string& out) {
    switch (node.kind) {
      case Kind::kText:
        append(node.text, out);
        break;
      case Kind::kNewLine:
        while (!out.empty() && out.back() == ' ') out.pop_back();
        out += '\n';
        break;
      case Kind::kArticle:
        article_at_ = out.size();
        out += node.capital ? 'A' : 'a';
        break;
      case Kind::kChoice:
        write(node.choices[rng_.below(node.choices.size())], out);
        break;
      case Kind::kBind:
        bind(node);
        break;
      case Kind::kReference: {
        std::string value = resolve(node);
        if (node.capital && !value.empty()) value.front() = upper(value.front());
        append(value, out);
        break;
      }
    }
  }

  // Appends text. Completes an article before it, and drops a space after another space or at the start of a line.
  void append(std::string_view text, std::string& out) {
    while (!text.empty() && text.front() == ' ' && (out.empty() || out.back() == ' ' || out.back() == '\n')) {
      text.remove_prefix(1);
    }
    if (article_at_ != kNone && text.find_first_not_of(' ') != std::string_view::npos) {
      if (needs_an(text.substr(text.find_first_not_of(' ')))) out.insert(article_at_ + 1, 1, 'n');
      article_at_ = kNone;
    }
    out += text;
  }

  static bool needs_an(std::string_view word) {
    if (word.starts_with("one") || word.starts_with("use") || word.starts_with("uni")) return false;
    if (word.starts_with("hour") || word.starts_with("honest")) return true;
    return !word.empty() && std::string_view("aeiouAEIOU").find(word.front()) != std::string_view::npos;
  }

  std::string resolve(const Grammar::Node& node) {
    if (const Binding* binding = find(node.text)) {
      if (node.field.empty()) return binding->fields.front().second.text;
      if (const std::string* value = field_of(*binding, node.field)) return *value;
      fail(node, node.text + " has no field " + node.field);
    }
    if (!bindings_.empty() && node.field.empty()) {
      if (const std::string* value = field_of(bindings_.front(), node.text)) return *value;
    }
    const auto rule = grammar_.rules_.find(node.text);
    if (rule == grammar_.rules_.end()) fail(node, node.text + " is used before it is bound");
    return expand_apart(first_field(rule->second));
  }

  // Separate text: an article outside that waits for its word stays there.
  std::string expand_apart(const Grammar::Sequence& sequence) {
    const std::size_t outer = std::exchange(article_at_, kNone);
    std::string out;
    write(sequence, out);
    article_at_ = outer;
    return out;
  }

  void bind(const Grammar::Node& node) {
    const Grammar::Rule& rule = grammar_.rules_.find(node.field)->second;
    std::erase_if(bindings_, [&](const Binding& binding) { return binding.variable == node.text; });
    for (int attempt = 0; attempt < 1000; ++attempt) {
      const auto [chosen, index] = choose(rule);
      Binding binding{.variable = node.text, .fields = {}};
      for (std::size_t i = 0; i < chosen->fields.size(); ++i) {
        binding.fields.push_back(
            {chosen->fields[i].name, {expand_apart(chosen->alternatives[index][i]), chosen->fields[i].distinct}});
      }
      if (is_new(binding)) {
        bindings_.push_back(std::move(binding));
        return;
      }
    }
    fail(node, "there is nothing new in " + node.field + " to bind " + node.text + " to");
  }

  bool is_new(const Binding& candidate) const {
    for (const Binding& other : bindings_) {
      for (const auto& mine : candidate.fields) {
        for (const auto& theirs : other.fields) {
          if (mine.second.distinct && theirs.second.distinct && mine.second.text == theirs.second.text) return false;
        }
      }
    }
    return true;
  }

  const Binding* find(std::string_view variable) const {
    for (const Binding& binding : bindings_) {
      if (binding.variable == variable) return &binding;
    }
    return nullptr;
  }

  static const std::string* field_of(const Binding& binding, std::string_view name) {
    for (const auto& field : binding.fields) {
      if (field.first == name) return &field.second.text;
    }
    return nullptr;
  }

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  const Grammar& grammar_;
  Rng rng_;
  std::vector<Binding> bindings_;  // the first is the hero
  std::size_t article_at_ = kNone;
};

std::string Grammar::expand(std::string_view rule, Rng rng) const {
  const auto found = rules_.find(rule);
  if (found == rules_.end()) throw std::invalid_argument("grammar: there is no rule " + std::string(rule));
  return GrammarExpansion(*this, rng).expand(found->second);
}

}  // namespace rapt
