using System.Linq;
using System.Net.Sockets;
using System.Text;
using Ferry.Protocol;
using FsCheck;
using FsCheck.Fluent;

namespace Ferry.Tests.Protocol;

/// <summary>Any client's TLS commands, in any order and pipelined, against any server that keeps to the protocol, under any rules.</summary>
public sealed class ControlEngineTlsFuzzTests
{
    private static readonly string[] Commands =
    [
        "AUTH TLS", "AUTH SSL", "AUTH TLS-P", "AUTH X", "AUTH TLS", "PBSZ 0", "PROT P", "PROT C", "PROT P", "PROT C", "PROT S", "CCC",
        "USER a", "PASS b", "USER a", "PASS b", "PASS b", "NOOP", "FEAT", "FOO", "REIN", "EPSV ALL", "SITE x",
        "PASV", "EPSV", "EPSV 1", "RETR x", "STOR x", "LIST", "XLST", "PASV", "EPSV", "RETR x", "XLST",
        "PORT 10,0,0,9,4,1", "EPRT |1|10.0.0.9|1025|", "PORT 10,0,0,9,4,2", "EPRT |1|10.0.0.7|1025|", "PORT 10,0,0,9,0,25", "EPRT |2|::1|1025|",
    ];

    private static readonly string[] SetUps = ["PASV", "EPSV", "PORT", "EPRT"];

    private static readonly Arbitrary<int[]> Conversations = Gen.Choose(0, 1_000_000).ArrayOf().ToArbitrary();

    [Fact]
    public void Each_command_is_answered_once_and_no_data_is_less_protected_than_agreed() =>
        Check.One(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(2000).WithEndSize(120), Prop.ForAll(Conversations, numbers =>
        {
            var wrong = new Conversation(numbers).Run();
            if (wrong.Count > 0)
                Assert.Fail(string.Join('\n', wrong.Distinct()));
        }));

    private sealed class Conversation
    {
        private readonly int[] _numbers;
        private readonly TlsRules _rules;
        private readonly DataRules _data;
        private readonly ModelServer _server;
        private readonly ControlWire _wire;
        private readonly List<string> _sent = ["greeting"];
        private readonly List<(bool Client, bool Upstream)> _transfers = [];
        private readonly List<string> _wrong = [];
        private int _next;

        public Conversation(int[] numbers)
        {
            _numbers = numbers;
            _rules = new TlsRules
            {
                ClientOffer = (ClientTlsOffer)Next(4),
                UpstreamMode = (UpstreamTlsMode)Next(4),
                Protection = (UpstreamDataRule)Next(3),
                ClearDataRefused = Next(6) == 0,
            };
            _data = new DataRules { Mode = (DataMode)Next(7), MayDial = static peer => peer.Address.ToString() == "10.0.0.9" };
            // One that knows no PROT, or grants no clear data, protects from the start where Ferry does not say otherwise.
            var (whenPrivate, whenClear) = Of((200, 200), (200, 200), (502, 502), (534, 200), (200, 534), (431, 200));
            _server = new ModelServer
            {
                MayLogIn = () => _rules.ClientOffer != ClientTlsOffer.Only || _wire!.ToClient.Contains("[TLS]", StringComparison.Ordinal),
                Tls = Of(234, 234, 234, 500, 431),
                Ssl = Of(234, 500),
                StartsPrivate = whenClear != 200 || Next(2) == 0,
                Private = whenPrivate,
                Clear = whenClear,
                Ccc = Of(200, 533),
                Feat = Of(211, 211, 500, 530),
                LoginFirst = Next(2) == 0,
                SetUps = SetUps.ToDictionary(static verb => verb, _ => Of(200, 200, 200, 200, 500, 501, 502, 504, 522, 550, 425)),
            };
            _wire = new ControlWire(rules: _rules, data: _data) { Decided = Note };
            if (Next(3) == 0)
                _wire.Engine.UpstreamFamily = AddressFamily.InterNetworkV6;
            if (_rules.UpstreamMode is UpstreamTlsMode.Implicit or UpstreamTlsMode.Explicit
                || (_rules.UpstreamMode == UpstreamTlsMode.Match && _rules.ClientOffer == ClientTlsOffer.Implicit))
            {
                _server.StartTls(_rules.UpstreamMode == UpstreamTlsMode.Implicit);
                _wire.Engine.UpstreamTlsStarted();
            }
        }

        public List<string> Run()
        {
            // Every other conversation begins as clients do, for by chance few come as far as a transfer.
            string[] opening = Next(2) == 0 ? ["AUTH TLS", "USER a", "PASS b", "PROT P", Of("PASV", "EPSV", "PORT 10,0,0,9,4,1", "EPRT |1|10.0.0.9|1025|"), "LIST"] : [];
            foreach (var command in opening.Concat(_numbers.Select(n => Commands[n % Commands.Length])))
            {
                // Which of two transfers a 150 belongs to cannot be told where Ferry does not know the first one's command.
                if (command is "RETR x" or "STOR x" or "LIST" or "XLST" && _sent.TakeLast(ControlEngine.MaxInFlight).Contains("XLST"))
                    StepAll();
                _sent.Add(command);
                _wire.FromClient(Encoding.ASCII.GetBytes(command + "\r\n"));
                // What stands behind an AUTH is an injection, and behind a CCC still belongs to TLS, so a client stops there.
                var most = command.StartsWith("AUTH", StringComparison.Ordinal) || command == "CCC" ? int.MaxValue : Next(6);
                while (most-- > 0 && Step())
                {
                }
            }
            StepAll();
            if (_wire.Engine.InFlight > 0)
                _wrong.Add($"{_wire.Engine.InFlight} in flight at the end");
            Judge();
            return [.. _wrong, .. _server.Wrong];
        }

        private bool Step()
        {
            _server.Read(_wire.ToServer);
            if (_server.Say() is not { } line)
                return false;
            _wire.FromServer(line);
            return true;
        }

        private void StepAll()
        {
            while (Step())
            {
            }
        }

        private void Note(ControlDecision decision, byte[] line)
        {
            if (decision.Kind == DecisionKind.StartTransfer)
                _transfers.Add((decision.ClientIsPrivate, decision.UpstreamIsPrivate));
            if (_wire.Engine.InFlight > ControlEngine.MaxInFlight)
                _wrong.Add($"{_wire.Engine.InFlight} in flight");
            if (decision.Kind is DecisionKind.Wait or DecisionKind.Insert && !_wire.Engine.MustWait)
                _wrong.Add("was told to wait for nothing: " + Encoding.ASCII.GetString(line));
        }

        /// <summary>Reads the replies as the client does, each as the answer to its command.</summary>
        private void Judge()
        {
            var isImplicit = _rules.ClientOffer == ClientTlsOffer.Implicit;
            var (usesTls, isPrivate, transfers, answered) = (isImplicit, isImplicit, 0, 0);
            var text = _wire.ToClient.Replace("[TLS]", "", StringComparison.Ordinal).Replace("[clear]", "", StringComparison.Ordinal);
            foreach (var line in text.Split("\r\n")[..^1])
            {
                if (line[0] == ' ' || line[3] == '-')
                    continue;
                if (answered == _sent.Count)
                {
                    _wrong.Add("an answer to nothing: " + line);
                    return;
                }
                var command = _sent[answered];
                if (line.StartsWith("150", StringComparison.Ordinal))
                {
                    Judge(transfers++, usesTls, isPrivate);
                    continue;
                }
                answered++;
                var isSetUp = command.Length > 3 && SetUps.Contains(command[..4]) && command != "EPSV ALL";
                if (line.Contains("re:", StringComparison.Ordinal) && !line.EndsWith("re:" + (isSetUp ? command[..4] : command), StringComparison.Ordinal) && !(isSetUp && line.StartsWith("530", StringComparison.Ordinal)))
                    _wrong.Add($"{command} was answered {line}");
                if (isSetUp)
                    JudgeSetUp(command, line);
                if (command.StartsWith("AUTH", StringComparison.Ordinal) && line.StartsWith("234", StringComparison.Ordinal))
                    (usesTls, isPrivate) = (true, command is "AUTH SSL" or "AUTH TLS-P");
                if (command.StartsWith("PROT", StringComparison.Ordinal) && line.StartsWith("200", StringComparison.Ordinal))
                    isPrivate = command == "PROT P";
            }
            if (answered != _sent.Count)
                _wrong.Add($"{_sent[answered]} was not answered");
            if (transfers != _server.Transfers.Count)
                _wrong.Add($"{transfers} transfers instead of {_server.Transfers.Count}");
        }

        /// <summary>A channel comes about where the server knows any command that may be asked, and the client hears of it in its own terms.</summary>
        private void JudgeSetUp(string command, string line)
        {
            var expected = command[..4] switch { "PASV" => "227", "EPSV" => "229", _ => "200" };
            if (line[0] == '2' && !line.StartsWith(expected, StringComparison.Ordinal))
                _wrong.Add($"{command} was answered {line}");
            var isRefused = command is "EPRT |1|10.0.0.7|1025|" or "PORT 10,0,0,9,0,25" or "EPRT |2|::1|1025|";
            if (isRefused && line[0] == '2')
                _wrong.Add($"{command} was taken");
            // What is open to choice: the first that is known, or is refused for a reason of its own, decides.
            if (!isRefused && (line.Contains("data connection", StringComparison.Ordinal) || line.EndsWith("re:" + command[..4], StringComparison.Ordinal)) && !line.StartsWith("530", StringComparison.Ordinal) && !line.StartsWith("521", StringComparison.Ordinal) && !line.StartsWith("534", StringComparison.Ordinal))
            {
                var asked = Candidates(command[..4]).FirstOrDefault(verb => _server.SetUps[verb] is 200 or 425 or 550);
                if (asked is not null && _server.SetUps[asked] == 200)
                    _wrong.Add($"{command} was answered {line}, and the server knows {asked}");
            }
        }

        private IEnumerable<string> Candidates(string command)
        {
            string[] own = command is "PASV" or "EPSV" ? ["PASV", "EPSV"] : ["PORT", "EPRT"];
            string[] all = _data.Mode switch
            {
                DataMode.Client => own,
                DataMode.Passive => ["PASV", "EPSV"],
                DataMode.Active => ["PORT", "EPRT"],
                var only => [only.ToString().ToUpperInvariant()],
            };
            return all.OrderByDescending(verb => verb == command).Where(verb => _wire.Engine.UpstreamFamily == AddressFamily.InterNetwork || verb[0] == 'E');
        }

        private void Judge(int transfer, bool usesTls, bool isPrivate)
        {
            if (transfer >= _transfers.Count || transfer >= _server.Transfers.Count)
            {
                _wrong.Add("a transfer that the session knows nothing of");
                return;
            }
            var (client, upstream) = _transfers[transfer];
            if (client != isPrivate)
                _wrong.Add($"the client's data is {(client ? "private" : "clear")}, and it was told otherwise");
            if (!client && _rules.ClearDataRefused)
                _wrong.Add("the client's data is clear");
            var (serverIsPrivate, serverHadTls) = _server.Transfers[transfer];
            if (upstream != serverIsPrivate)
                _wrong.Add($"the server's data is {(upstream ? "private" : "clear")}, and the server thinks otherwise");
            var wantsPrivate = _rules.Protection == UpstreamDataRule.Private || (_rules.Protection == UpstreamDataRule.Match && (isPrivate || !usesTls));
            if (wantsPrivate && !upstream && serverHadTls)
                _wrong.Add("the server's data is clear");
        }

        private int Next(int count) => _numbers.Length == 0 ? 0 : (_numbers[_next++ % _numbers.Length] / 64) % count;

        private T Of<T>(params T[] choices) => choices[Next(choices.Length)];
    }
}
