using System.Net;

namespace Ferry.Upstreams;

/// <summary>What is known of a session when its server is chosen, for the keys of <c>hash</c> and <c>sticky</c>. What is null is not known, and stands for the empty text.</summary>
/// <param name="Client">The client's address.</param>
/// <param name="Listener">The address that the client connected to.</param>
internal sealed record ChoiceFacts(IPEndPoint Client, IPEndPoint Listener)
{
    /// <summary>The name that the client asked for in TLS (SNI).</summary>
    public string? ServerName { get; init; }

    /// <summary>The subject of the client's certificate, as in RFC 2253.</summary>
    public string? ClientSubject { get; init; }

    /// <summary>The argument of USER, where the server is chosen that late.</summary>
    public string? User { get; init; }

    /// <summary>The argument of HOST (RFC 7151), where the server is chosen that late.</summary>
    public string? Host { get; init; }

    /// <summary>Gives the value of every other variable by its name, without the dollar sign.</summary>
    public Func<string, string?>? Variable { get; init; }
}
