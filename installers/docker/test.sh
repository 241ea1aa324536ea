#!/usr/bin/env bash
# Tries the container image: built by the engine that is here, run read-only,
# without root, within 2 processors and 2 GB. Sourced by ../test.sh.
# shellcheck shell=bash

store=()
p_() { podman "${store[@]}" --cgroup-manager cgroupfs --runtime runc "$@" 2> >(grep -v 'healthcheck: unable to get systemd' >&2); }

docker_files() {
  if have docker-compose; then
    # Debian's old one does not know the project's name
    compose() { sed '/^name:/d' installers/docker/compose.yaml | docker-compose -f - --project-directory installers/docker "$@"; }
    check "compose file: read by docker-compose" eval "HAOKE_ADMIN_PASSWORD=x compose config -q"
    check "compose file: limits of 2 processors and 2 GB, read-only, no rights" eval "HAOKE_ADMIN_PASSWORD=x compose config > $WORK/compose && grep -q 'cpus: .*2' $WORK/compose && grep -q 'memory: 2G' $WORK/compose && grep -q 'read_only: true' $WORK/compose"
    check "compose file: wants a password" eval "! compose config -q"
  else skip "compose file: no docker-compose"; fi
}

docker_() {
  docker_files
  if ! have buildah || ! have podman || [ "$(id -u)" != 0 ]; then skip "container: needs buildah and podman as root (make setup-installers)"; return; fi
  local archive=build/dist/haoked-$VERSION-docker-amd64.tar id run
  check "container: builds for both processors" installers/docker/build.sh
  check "container: the same bytes again" eval "sha256sum $archive > $WORK/sums && DOCKER_ARCHS=amd64 installers/docker/build.sh && sha256sum -c $WORK/sums"
  run=$(mktemp -d /tmp/haoke.XXXX) # podman wants a short path there
  rm -rf "$WORK/images" # remembers the other path
  store=(--storage-driver vfs --root "$WORK/images" --runroot "$run")
  check "container: the archive loads" p_ load -q -i "$archive"
  in_image() { tar -xOf "$archive" "$(tar -tf "$archive" | grep '^[0-9a-f]*\.tar$')" | tar -tf - | sed 's,/$,,'; }
  check "container: nothing in it but the daemon and its files" eval '[ -z "$(in_image | grep -vxE "LICENSE|THIRD-PARTY.txt|data|etc|etc/ssl|etc/ssl/certs|etc/ssl/certs/ca-certificates.crt|haoked|tmp")" ]'
  p_ rm -f haoke-test > /dev/null 2>&1; p_ volume rm -f haoke-test > /dev/null 2>&1
  # what compose.yaml asks for, by hand; ports by the host's network, as there
  # may be no bridge where this runs
  check "container: starts read-only, without rights, within 2 GB and 2 processors" p_ run -d --name haoke-test --network host --read-only --cap-drop all --security-opt no-new-privileges \
    --memory 2g --cpus 2 --tmpfs /tmp:size=256m --ulimit nofile=20000:20000 --ulimit nproc=1024:1024 -v haoke-test:/data \
    -e HAOKE_SERVER_PUBLIC_ADDR=127.0.0.1:28787 -e HAOKE_SERVER_ADMIN_ADDR=127.0.0.1:28788 -e HAOKE_SITE_TIME_ZONE=Asia/Shanghai -e HAOKE_ADMIN_PASSWORD='a password of my own' "haoke:$VERSION"
  for _ in $(seq 300); do node -e 'fetch("http://127.0.0.1:28787/readyz").then(r=>process.exit(r.ok?0:1),()=>process.exit(1))' && break; sleep 0.1; done
  check "container: a visitor asks and is answered" ask http://127.0.0.1:28787
  check "container: healthy by its own check" p_ healthcheck run haoke-test
  id=$(p_ inspect -f '{{.State.Pid}}' haoke-test)
  check "container: not root, no capability, limits in force" eval "grep -qE '^Uid:\\s+10001' /proc/$id/status && grep -qE '^CapEff:\\s+0+\$' /proc/$id/status && grep -qE '^NoNewPrivs:\\s+1' /proc/$id/status && ! touch /proc/$id/root/x 2>/dev/null"
  check "container: stops in order" eval "p_ stop -t 30 haoke-test && test \$(p_ inspect -f '{{.State.ExitCode}}' haoke-test) = 0"
  p_ start haoke-test > /dev/null
  for _ in $(seq 300); do node -e 'fetch("http://127.0.0.1:28787/readyz").then(r=>process.exit(r.ok?0:1),()=>process.exit(1))' && break; sleep 0.1; done
  check "container: the conversation goes on after a restart" ask_again http://127.0.0.1:28787
  p_ rm -f -t 5 haoke-test > /dev/null 2>&1; p_ volume rm -f haoke-test > /dev/null 2>&1; p_ rmi -f "haoke:$VERSION" > /dev/null 2>&1
  rm -rf "$run"
}
