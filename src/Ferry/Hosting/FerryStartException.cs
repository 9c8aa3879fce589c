namespace Ferry.Hosting;

/// <summary>A proxy could not start; nothing of it is left running.</summary>
public sealed class FerryStartException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="errors">Everything that stood in the way, a sentence each.</param>
    public FerryStartException(IReadOnlyList<string> errors)
        : base(string.Join(Environment.NewLine, errors)) => Errors = errors;

    /// <summary>Everything that stood in the way, a sentence each.</summary>
    public IReadOnlyList<string> Errors { get; }
}
