// Writing files that are either the old one or the whole new one, never half of it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace limber {

// What a writer is handed: appends bytes to the file that is being written.
using FileSink = std::function<void(std::string_view bytes)>;

// Writes to a temporary neighbour, flushes it to the disk, renames it over `path`. Throws
// InputError naming the path and the system's reason (no space, no permission, no folder); the
// temporary file is removed and what stood at `path` stays.
void write_file_atomically(const std::string& path,
                           const std::function<void(const FileSink&)>& write);
void write_file_atomically(const std::string& path, std::string_view bytes);

}  // namespace limber
