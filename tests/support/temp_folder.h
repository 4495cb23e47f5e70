// A folder that lives as long as its object, for tests that need files.
#pragma once

#include <string>
#include <string_view>

namespace limber {

class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string path(std::string_view name = "") const;  // inside the folder
  // Makes the folders on the way and returns path(name).
  std::string write(std::string_view name, std::string_view content) const;

 private:
  std::string folder_;
};

}  // namespace limber
