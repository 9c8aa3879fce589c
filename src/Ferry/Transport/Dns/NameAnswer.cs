using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace Ferry.Transport.Dns;

/// <summary>What is known of a name.</summary>
/// <param name="Addresses">Its addresses, IPv4 first; none where the name does not exist, or nobody could be asked.</param>
/// <param name="Lifetime">How long this may be used.</param>
/// <param name="Failure">Why nobody could be asked; null where there is an answer, be it that there is nothing.</param>
internal sealed record NameAnswer(ImmutableArray<IPAddress> Addresses, TimeSpan Lifetime, string? Failure)
{
    /// <summary>The family whose addresses could not be asked for, while those of the other could.</summary>
    public AddressFamily? Unanswered { get; init; }
}

/// <summary>What is known of a service.</summary>
/// <param name="Targets">Who offers it.</param>
/// <param name="Lifetime">How long this may be used.</param>
/// <param name="Failure">Why nobody could be asked; null where there is an answer, be it that there is nobody.</param>
internal sealed record ServiceAnswer(ImmutableArray<ServiceTarget> Targets, TimeSpan Lifetime, string? Failure);

/// <summary>One who offers a service (RFC 2782).</summary>
/// <param name="Host">Its name.</param>
/// <param name="Port">Its port.</param>
/// <param name="Priority">The lowest is used first.</param>
/// <param name="Weight">Its share among those of its priority.</param>
/// <param name="Answer">Its addresses.</param>
internal sealed record ServiceTarget(string Host, int Port, int Priority, int Weight, NameAnswer Answer);
