# docker build -t godarts .
# docker run --rm -it -v godarts-runs:/godarts/runs godarts search configs/quickstart.yaml
#
# For a GPU: docker build --build-arg SETUP=--cuda -t godarts . and docker run --gpus all

FROM golang:1.26-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends g++ git python3 python3-pip \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /godarts

# libtorch before the code, so that a change of the code does not download it again.
ARG SETUP=
COPY go.mod ./
COPY scripts/ scripts/
RUN scripts/setup $SETUP

COPY . .
RUN scripts/test -short
RUN go build -o bin/darts ./cmd/darts

# The final image's files, the libraries where the program's rpath names them.
RUN find .libtorch \( -name '*.so' -o -name '*.so.*' -o -path '*/licenses/*' \) -type f > files \
 && find bin configs LICENSE -type f >> files \
 && mkdir -p /image/godarts \
 && tar -cf - -T files | tar -xf - -C /image/godarts

FROM debian:12-slim
# The C++ runtime, and the certificates that `darts data get` checks a server's by.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libstdc++6 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /image/ /
RUN useradd --uid 1000 --create-home darts \
 && install -d -o darts -g darts /godarts/runs /godarts/data
USER darts
WORKDIR /godarts
ENV GODARTS_DATA=/godarts/data
VOLUME ["/godarts/runs", "/godarts/data"]
ENTRYPOINT ["/godarts/bin/darts"]
CMD ["--help"]
