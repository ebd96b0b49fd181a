# cmake -DOUT=<file.c> -DBASE=<directory> -DFILES=<a;b;…> -P embed.cmake
# Writes each file as a NUL-terminated array named embedded_<path>, with / . - turned into _.
# Byte arrays, because a string literal of more than 4,095 characters is not portable.
set(text "/* Made by reports/embed.cmake. */\n#include \"reports/embedded.h\"\n")
foreach(file ${FILES})
  string(REGEX REPLACE "[/.-]" "_" name ${file})
  file(READ ${BASE}/${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(................................................................................)"
         "\\1\n" bytes "${bytes}")
  string(APPEND text "const unsigned char embedded_${name}[] = {\n${bytes}0x00};\n")
endforeach()
file(WRITE ${OUT} "${text}")
