using Ferry.Protocol;

namespace Ferry.Tests.Protocol;

// The time before the login where the server is chosen by user: one line at a time, each answered before the next.
internal sealed partial class ControlWire
{
    private string _login = "";
    private string _password = "";

    /// <summary>What becomes of the next Route: the name for the server, empty for the client's own, null for an unknown user; the client's own when it is empty.</summary>
    public Queue<string?> Routes { get; init; } = [];

    /// <summary>The server is chosen by user and password.</summary>
    public bool Defers { get; init; }

    /// <summary>What becomes of the next LookUp: the name for the server, empty for the client's own, null for a user who is refused; the client's own when it is empty.</summary>
    public Queue<string?> Lookups { get; init; } = [];

    /// <summary>A server has been asked, and the client's next line waits for its answer.</summary>
    private bool IsAnsweredFirst => Engine.IsAtFront && Engine.InFlight > 0;

    private void DoAtFront(ControlDecision decision, string line)
    {
        switch (decision.Kind)
        {
            case DecisionKind.Route:
                Leave();
                _login = "";
                if (Defers)
                {
                    Do(Engine.Deferred(), line);
                    break;
                }
                var name = Routes.TryDequeue(out var next) ? next : "";
                Do(name is null ? Engine.Unrouted() : Engine.Routed(name.Length == 0 ? null : name), line);
                break;
            case DecisionKind.LookUp:
                var told = Lookups.TryDequeue(out var found) ? found : "";
                _password = line + "\r\n";
                Do(told is null ? Engine.Refused() : Engine.LookedUp(told.Length == 0 ? null : told), line);
                break;
            case DecisionKind.LogIn:
                _login = line + "\r\n";
                _toServer.Append(_login);
                break;
            case DecisionKind.Release:
                Leave();
                _toClient.Append(Text(decision.Bytes));
                break;
            default:
                _toClient.Append(Text(decision.Bytes));
                Ended = decision.Kind == DecisionKind.Farewell;
                break;
        }
    }

    private void SendPassword()
    {
        Engine.PasswordSent();
        _login = _password;
        _toServer.Append(_login);
    }

    private void Leave()
    {
        Engine.UpstreamLeft();
        _fromServer.Clear();
    }

    // Another one greets, is told what the client has said, and says to USER what the one before has said.
    private void GoToNextServer()
    {
        Engine.UpstreamLeft();
        _toServer.Append("[next]");
        foreach (var heard in Engine.Heard)
            _toServer.Append(Text(heard));
        _toServer.Append(Text(Engine.UserLine.Span)).Append(_login);
    }
}
