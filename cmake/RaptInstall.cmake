# install(): the program, the libraries with their headers, and a CMake package so that another project can link rapt::nn.
