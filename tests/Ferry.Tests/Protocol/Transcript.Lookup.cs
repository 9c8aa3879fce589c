using System.Linq;
using Ferry.Protocol;

namespace Ferry.Tests.Protocol;

// A server that is chosen by user and password.
internal sealed partial class Transcript
{
    /// <summary>Whether each Route is put off until the password has come.</summary>
    public bool Defers => _lines.Exists(static line => line.Text == "deferred");

    /// <summary>What becomes of each LookUp: the name for the server, empty for the client's own, null where the user is refused.</summary>
    public Queue<string?> Lookups => new(_lines.Where(static line => line.Kind == '(' && (line.Text == "nobody" || line.Text.StartsWith("looked up", StringComparison.Ordinal)))
        .Select(static line => line.Text == "nobody" ? null : line.Text["looked up".Length..].TrimStart()));

    private static string ActOnLookup(ControlEngine engine, string happened)
    {
        switch (happened)
        {
            case "deferred":
                return Describe(engine.Deferred());
            case "looked up":
                return Describe(engine.LookedUp(null));
            case "nobody":
                return Describe(engine.Refused());
            case "not wanted":
                return engine.WantsPassword ? "wanted" : "";
        }
        if (!engine.WantsPassword)
            return "not wanted";
        engine.PasswordSent();
        return "";
    }
}
