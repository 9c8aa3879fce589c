"""The rounds of a run. Within a round each measurement goes through all contenders before the next begins."""
import measure
from configurations import BOTH, CLIENT, PLAIN, PORTS_EACH, Ports
from contenders import Instance
from programs import BUILD

INSTANCES = 17              # 4 + 3 in the plain part, 4 + 3 + 3 in the one with TLS
PORTS = INSTANCES * PORTS_EACH
TOOL = f"{BUILD}/ftpbench"
IDLE_ROUNDS = 3             # memory differs little from round to round, and takes long


class Comparison:
    """Measures each part with instances of its own, which end with it."""

    def __init__(self, chosen, kinds, size, folder, processes):
        self.results = {kind.name: {} for kind in kinds}
        self._rounds = chosen.rounds
        self._bases = iter(range(chosen.port_base, chosen.port_base + PORTS, PORTS_EACH))
        self._kinds = kinds
        self._proxies = [kind for kind in kinds if kind.is_proxy]
        self._size = size
        self._folder = folder
        self._processes = processes

    def plain(self):
        # The long-lived instances serve all rounds; start-up and memory are taken from fresh ones, beside them, on ports of their own.
        living = self._living(self._kinds, PLAIN)
        fresh = self._instances(self._proxies, PLAIN)
        for number in range(self._rounds):
            print(f"plain, round {number + 1} of {self._rounds}", flush=True)
            self._transfers(living, number)
            self._step("sessions", living, number, lambda one: measure.sessions(one, TOOL, self._size))
            self._step("noop", living, number, lambda one: measure.noop(one, TOOL, self._size))
            self._step("start-up", fresh, number, lambda one: measure.start_up(one, self._size))
            for one in fresh:
                one.stop_proxy()
            self._idle(fresh, number)
        self._stop(living)

    def tls(self):
        both = self._living(self._kinds, BOTH)
        client = self._living(self._proxies, CLIENT)
        fresh = self._instances(self._proxies, CLIENT)
        for number in range(self._rounds):
            print(f"TLS, round {number + 1} of {self._rounds}", flush=True)
            self._transfers(both, number)
            self._transfers(client, number, (1,))
            for living, resume, tls12 in ((client, False, False), (client, True, False), (both, True, False), (client, False, True), (client, True, True)):
                self._step(f"{'resumed' if resume else 'full'} handshakes{', 1.2' if tls12 else ''}", living, number,
                           lambda one, resume=resume, tls12=tls12: measure.handshakes(one, TOOL, self._size, resume, tls12))
            self._idle(fresh, number)
        self._stop(both + client)

    def _instances(self, kinds, link):
        return [Instance(kind, link, Ports(next(self._bases)), self._folder, BUILD, self._processes) for kind in kinds]

    def _living(self, kinds, link):
        living = self._instances(kinds, link)
        for one in living:
            one.start()
            one.check_path()
            measure.warm(one, TOOL, thorough=self._rounds > 1)
        return living

    @staticmethod
    def _stop(instances):
        for one in instances:
            one.stop()

    def _transfers(self, living, number, counts=(1, 4)):
        for streams in counts:
            for put in (False, True):
                self._step(f"{'upload' if put else 'download'} {streams}", living, number,
                           lambda one, put=put, streams=streams: measure.transfer(one, TOOL, self._size, put, streams))

    def _idle(self, fresh, number):
        def step(one):
            one.start()
            try:
                return measure.idle(one, TOOL, self._size, self._processes)
            finally:
                one.stop()
        if number < IDLE_ROUNDS:
            self._step("idle", fresh, number, step)

    def _step(self, name, instances, number, step):
        said = []
        for one in turn(instances, number):
            figures = step(one)
            for key, value in figures.items():
                self.results[one.kind.name].setdefault(key, []).extend(value if isinstance(value, list) else [value])
            said.append(f"{one.kind.name} " + " / ".join(
                f"{v:.4g}" for value in figures.values() for v in (value if isinstance(value, list) else [value])))
        if said:
            label = f"{name}, {instances[0].link.label}" if instances[0].link.client else name
            print(f"  {label:<44}" + "   ".join(said), flush=True)


def turn(instances, number):
    """Another one begins in each round, so that none always runs at the same place."""
    at = number % len(instances) if instances else 0
    return instances[at:] + instances[:at]
