#include "nn/pth_reader.h"

#include <cstring>
#include <unordered_map>

#include "nn/pickle.h"
#include "nn/pickle_globals.h"
#include "nn/zip_file.h"
#include "tensor/mapped_file.h"

namespace limber {
namespace {

using Kind = PickleValue::Kind;
using Storages = std::unordered_map<std::string, std::shared_ptr<StoredStorage>>;

constexpr uint64_t kMaxElements = uint64_t(1) << 48;

// ("storage", type, key, device, elements[, view]) -> the storage of that key.
std::shared_ptr<StoredStorage> storage_of(const PickleValue& id, Storages& storages) {
  check_input(id.is(Kind::tuple) && id.size() >= 5 && id.at(size_t(0)).text() == "storage",
              "a persistent identifier that is no storage");
  check_input(id.size() < 6 || id.at(size_t(5)).is(Kind::none), "a storage that is a view");
  const StoredType type = storage_type(id.at(size_t(1)).text());
  const std::string& key = id.at(size_t(2)).text();
  const int64_t numel = id.at(size_t(4)).integer();
  check_input(numel >= 0 && uint64_t(numel) < kMaxElements, "storage ", key, " of ", numel,
              " elements");
  auto& storage = storages[key];
  if (!storage) {
    storage = std::make_shared<StoredStorage>();
    storage->type = type;
    storage->numel = uint64_t(numel);
  }
  check_input(storage->type == type && storage->numel == uint64_t(numel), "storage ", key,
              " appears with two types or sizes");
  return storage;
}

PickleValue load_zip(const std::shared_ptr<const MappedFile>& file, const std::string& path) {
  std::unordered_map<std::string, ZipEntry> entries;
  std::string prefix;
  for (ZipEntry& entry : read_zip(file->bytes(), path)) {
    const size_t slash = entry.name.find('/');
    if (slash != std::string::npos && entry.name.substr(slash) == "/data.pkl")
      prefix = entry.name.substr(0, slash + 1);
    entries.emplace(entry.name, std::move(entry));
  }
  check_input(!prefix.empty(), path, ": this zip archive is no PyTorch checkpoint: no data.pkl");
  const auto bytes_of = [&](const ZipEntry& e) {
    return file->bytes().subspan(size_t(e.offset), size_t(e.size));
  };
  if (const auto order = entries.find(prefix + "byteorder"); order != entries.end()) {
    const auto bytes = bytes_of(order->second);
    check_input(bytes.size() == 6 && std::memcmp(bytes.data(), "little", 6) == 0, path,
                ": only little-endian checkpoints can be read");
  }
  Storages storages;
  PickleSource source;
  const ZipEntry& pickle = entries.at(prefix + "data.pkl");
  source.bytes = bytes_of(pickle);
  source.name = path;
  source.offset = pickle.offset;
  source.storage = [&](const PickleValue& id) {
    auto storage = storage_of(id, storages);
    if (storage->data) return storage;
    const auto it = entries.find(prefix + "data/" + id.at(size_t(2)).text());
    check_input(it != entries.end(), "storage ", id.at(size_t(2)).text(), " is missing");
    check_input(storage->numel * size_of(storage->type) <= it->second.size, "storage ",
                id.at(size_t(2)).text(), " of ", storage->numel, " elements in ", it->second.size,
                " bytes");
    storage->data = file->bytes().data() + it->second.offset;
    storage->owner = file;
    return storage;
  };
  return read_pickle(source).first;
}

// The older form: four pickles (a magic number, the version, the machine's sizes, the tree), then
// the list of storage keys, then for each the number of elements and the elements.
class LegacyReader {
 public:
  LegacyReader(std::shared_ptr<const MappedFile> file, const std::string& path)
      : file_(std::move(file)), path_(path) {}

  static bool is_legacy(std::span<const std::byte> bytes) {
    constexpr unsigned char magic[] = {0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9,
                                       0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};
    return bytes.size() > 2 + sizeof magic && bytes[0] == std::byte(0x80) &&
           std::memcmp(bytes.data() + 2, magic, sizeof magic) == 0;
  }

  PickleValue load() {
    at_ = 15;
    const PickleValue version = pickle();
    check_input(version.is(Kind::integer) && version.integer() == 1001, path_,
                ": stream checkpoint of an unknown version");
    const PickleValue* little = nullptr;
    const PickleValue machine = pickle();
    if ((little = machine.find("little_endian")))
      check_input(little->boolean(), path_, ": only little-endian checkpoints can be read");
    const PickleValue tree = pickle();
    const PickleValue keys = pickle();
    check_input(keys.is(Kind::list) || keys.is(Kind::tuple), path_, ": no list of storages");
    for (size_t i = 0; i < keys.size(); ++i) read_storage(keys.at(i).text());
    for (const auto& [key, storage] : storages_)
      check_input(storage->data != nullptr, path_, ": storage ", key, " is missing");
    return tree;
  }

 private:
  PickleValue pickle() {
    PickleSource source;
    source.bytes = file_->bytes().subspan(at_);
    source.name = path_;
    source.offset = at_;
    source.storage = [this](const PickleValue& id) { return storage_of(id, storages_); };
    auto [value, used] = read_pickle(source);
    at_ += used;
    return value;
  }

  void read_storage(const std::string& key) {
    const auto bytes = file_->bytes();
    const auto it = storages_.find(key);
    check_input(it != storages_.end(), path_, ": storage ", key, " belongs to no tensor");
    StoredStorage& storage = *it->second;
    uint64_t numel = 0;
    check_input(bytes.size() - at_ >= 8, path_, ": cut off at storage ", key);
    std::memcpy(&numel, bytes.data() + at_, 8);
    at_ += 8;
    const uint64_t size = storage.numel * size_of(storage.type);
    check_input(numel == storage.numel, path_, ": storage ", key, " has ", numel,
                " elements where ", storage.numel, " are announced");
    check_input(size <= bytes.size() - at_, path_, ": cut off in storage ", key, ": ", size,
                " bytes wanted at offset ", at_, " of ", bytes.size());
    storage.data = bytes.data() + at_;
    storage.owner = file_;
    at_ += size_t(size);
  }

  std::shared_ptr<const MappedFile> file_;
  const std::string& path_;
  size_t at_ = 0;
  Storages storages_;
};

bool has_tensor(const PickleValue& dict) {
  for (const auto& item : dict.items())
    if (item.second.is(Kind::tensor)) return true;
  return false;
}

const PickleValue* inside(const PickleValue& tree, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const PickleValue* found = tree.find(key);
    if (found && found->is(Kind::dict)) return found;
  }
  return nullptr;
}

}  // namespace

PickleValue load_pth(const std::string& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  if (is_zip(file->bytes())) return load_zip(file, path);
  check_input(LegacyReader::is_legacy(file->bytes()), path, ": this is no PyTorch checkpoint");
  return LegacyReader(file, path).load();
}

PickleValue find_state_dict(const PickleValue& tree, bool ema) {
  check_input(tree.is(Kind::dict), "checkpoint: expected a dict of tensors, got ",
              name_of(tree.kind()));
  const PickleValue* dict = &tree;
  if (ema) {
    dict = inside(tree, {"ema_state_dict", "state_dict_ema"});
    check_input(dict != nullptr, "checkpoint: it holds no ema_state_dict");
  } else {
    // Wrappers may stand in wrappers: {"model": {"state_dict": ...}}.
    while (const PickleValue* inner = inside(*dict, {"state_dict", "model"})) dict = inner;
  }
  check_input(has_tensor(*dict), "checkpoint: it holds no tensors under state_dict, under model ",
              "or at its top");
  constexpr std::string_view wrapper = "module.";
  size_t tensors = 0, wrapped = 0;
  for (const auto& [key, value] : dict->items()) {
    if (!value.is(Kind::tensor) || !key.is(Kind::string)) continue;
    ++tensors;
    wrapped += key.text().starts_with(wrapper);
  }
  // An averaged model counts its updates in "steps", beside the wrapped names.
  const bool unwrap = wrapped > 0 && (wrapped == tensors || ema);
  PickleValue out = PickleValue::dict();
  for (const auto& [key, value] : dict->items()) {
    if (!value.is(Kind::tensor) || !key.is(Kind::string)) continue;
    const bool has_wrapper = key.text().starts_with(wrapper);
    if (unwrap && !has_wrapper) continue;
    out.set(unwrap ? PickleValue(key.text().substr(wrapper.size())) : key, value);
  }
  return out;
}

}  // namespace limber
