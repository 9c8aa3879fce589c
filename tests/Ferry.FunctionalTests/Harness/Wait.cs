namespace Ferry.FunctionalTests.Harness;

/// <summary>Bounds every wait of a test: what does not happen is a failure that says what was waited for, never a hang.</summary>
internal static class Wait
{
    /// <summary>Long enough for a machine under load, short enough for a red test to be read.</summary>
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(2);

    public static async Task For(Task task, string what, TimeSpan? bound = null)
    {
        try
        {
            await task.WaitAsync(bound ?? Bound);
        }
        catch (TimeoutException) when (!task.IsFaulted)
        {
            throw new TimeoutException($"Waited {bound ?? Bound} in vain for {what}.");
        }
    }

    public static async Task<T> For<T>(Task<T> task, string what, TimeSpan? bound = null)
    {
        await For((Task)task, what, bound);
        return await task;
    }

    /// <summary>For what raises no event, such as the kernel's tables: asks again and again until it is so.</summary>
    public static async Task Until(Func<bool> condition, Func<string> what, TimeSpan? bound = null)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > (bound ?? Bound))
                throw new TimeoutException($"Waited {bound ?? Bound} in vain for {what()}.");
            await Task.Delay(Step);
        }
    }

    public static Task Until(Func<bool> condition, string what, TimeSpan? bound = null) => Until(condition, () => what, bound);
}
