using System.Collections.Concurrent;
using System.Diagnostics;

namespace ZeroStor.Cluster.Tests;

/// <summary>What a client did to one key, and what it was told. Values are ETags; null is "no
/// object".</summary>
internal abstract record Operation(long Called, long Returned)
{
    /// <summary>The key's value after the operation took effect at <paramref name="value"/>; false when what
    /// the client was told could not have been told then.</summary>
    public abstract bool TryApply(string? value, out string? after);
}

internal sealed record PutDone(string Value, long Called, long Returned) : Operation(Called, Returned)
{
    public override bool TryApply(string? value, out string? after)
    {
        after = Value;
        return true;
    }
}

/// <summary>A put that was to happen only at <see cref="Expected"/> (null: only where nothing is).</summary>
internal sealed record ConditionalPut(string? Expected, string Value, bool Won, long Called, long Returned)
    : Operation(Called, Returned)
{
    public override bool TryApply(string? value, out string? after)
    {
        after = Won ? Value : value;
        return Won == (value == Expected);
    }
}

internal sealed record ReadDone(string? Value, long Called, long Returned) : Operation(Called, Returned)
{
    public override bool TryApply(string? value, out string? after)
    {
        after = value;
        return value == Value;
    }
}

internal sealed record DeleteDone(bool Existed, long Called, long Returned) : Operation(Called, Returned)
{
    public override bool TryApply(string? value, out string? after)
    {
        after = null;
        return Existed == (value is not null);
    }
}

/// <summary>Collects operations of many clients, and tells whether they are linearizable: whether there is
/// one order, which no client's clock contradicts, in which every answer is right. The search is Wing and
/// Gong's (1993) with Lowe's memory of what was tried (2017). Thread-safe while it collects.</summary>
internal sealed class History
{
    private readonly ConcurrentBag<Operation> _operations = [];

    public int Count => _operations.Count;

    public async Task<T> RecordAsync<T>(Func<Task<T>> call, Func<T, long, long, Operation> operation)
    {
        long called = Stopwatch.GetTimestamp();
        T answer = await call();
        _operations.Add(operation(answer, called, Stopwatch.GetTimestamp()));
        return answer;
    }

    public void Add(Operation operation) => _operations.Add(operation);

    public bool IsLinearizable()
    {
        Operation[] operations = [.. _operations.OrderBy(o => o.Called)];
        if (operations.Length > 128)
        {
            throw new InvalidOperationException("The checker keeps what it tried as a set of at most 128.");
        }

        var tried = new HashSet<(UInt128 Done, string? Value)>();
        return Search(operations, 0, null, tried);
    }

    private static bool Search(
        Operation[] operations, UInt128 done, string? value, HashSet<(UInt128, string?)> tried)
    {
        if (done == (UInt128.One << operations.Length) - 1)
        {
            return true;
        }

        if (!tried.Add((done, value)))
        {
            return false;
        }

        // Whoever was called before the first of the others returned may have been next.
        long firstReturn = long.MaxValue;
        for (int i = 0; i < operations.Length; i++)
        {
            if ((done >> i & 1) == 0)
            {
                firstReturn = Math.Min(firstReturn, operations[i].Returned);
            }
        }

        for (int i = 0; i < operations.Length && operations[i].Called <= firstReturn; i++)
        {
            if ((done >> i & 1) == 0
                && operations[i].TryApply(value, out string? after)
                && Search(operations, done | (UInt128.One << i), after, tried))
            {
                return true;
            }
        }

        return false;
    }
}
