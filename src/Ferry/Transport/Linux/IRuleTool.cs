using System.Collections.Immutable;

namespace Ferry.Transport.Linux;

/// <summary>A program that changes the kernel's rules.</summary>
internal interface IRuleTool
{
    /// <summary>What it calls itself, for messages.</summary>
    string Name { get; }

    /// <summary>True where the other one would find the rules of this one under the same names.</summary>
    bool SharesRulesWith(IRuleTool other);

    /// <summary>Puts rules in the place of what is there for their destination ports, whoever left it there.</summary>
    /// <param name="ports">The rules by destination port; without any, what is there is taken away.</param>
    /// <returns>Null when all is done; else why not. What was done for a part is then for the caller to undo.</returns>
    Task<string?> ApplyAsync(IReadOnlyDictionary<int, ImmutableArray<RedirectRule>> ports);
}
