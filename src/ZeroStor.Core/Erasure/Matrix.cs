using System.Diagnostics;

namespace ZeroStor.Erasure;

/// <summary>A matrix over GF(2^8), in rows.</summary>
internal sealed class Matrix(int rows, int columns)
{
    private readonly byte[] _cells = new byte[rows * columns];

    public int Rows { get; } = rows;

    public int Columns { get; } = columns;

    public byte this[int row, int column]
    {
        get => Row(row)[column];
        set => Row(row)[column] = value;
    }

    public static Matrix Identity(int size)
    {
        var identity = new Matrix(size, size);
        for (int i = 0; i < size; i++)
        {
            identity[i, i] = 1;
        }

        return identity;
    }

    /// <summary>Row r holds r^0, r^1 and so on. Any <paramref name="columns"/> of its rows, of which there
    /// are at most 256, are independent.</summary>
    public static Matrix Vandermonde(int rows, int columns)
    {
        var matrix = new Matrix(rows, columns);
        for (int r = 0; r < rows; r++)
        {
            for (int c = 0; c < columns; c++)
            {
                matrix[r, c] = GaloisField.Power((byte)r, c);
            }
        }

        return matrix;
    }

    public Matrix Multiply(Matrix right)
    {
        var product = new Matrix(Rows, right.Columns);
        for (int r = 0; r < Rows; r++)
        {
            for (int i = 0; i < Columns; i++)
            {
                AddScaled(product.Row(r), right.Row(i), this[r, i]);
            }
        }

        return product;
    }

    /// <summary>The rows of these places, in order.</summary>
    public Matrix Select(PlaceSet places)
    {
        var selected = new Matrix(places.Count, Columns);
        int next = 0;
        foreach (int place in places)
        {
            Row(place).CopyTo(selected.Row(next++));
        }

        return selected;
    }

    /// <summary>The inverse of a square matrix, by Gauss and Jordan. Rows that are already unit vectors cost
    /// next to nothing, so a stripe that lost t data shards takes about t·k² steps, not k³.</summary>
    /// <exception cref="InvalidOperationException">The rows are not independent.</exception>
    public Matrix Invert()
    {
        Debug.Assert(Rows == Columns, "only square matrices have an inverse");
        var left = new Matrix(Rows, Columns);
        _cells.CopyTo(left._cells, 0);
        Matrix inverse = Identity(Rows);
        for (int c = 0; c < Columns; c++)
        {
            int pivot = c;
            while (pivot < Rows && left[pivot, c] == 0)
            {
                pivot++;
            }

            if (pivot == Rows)
            {
                throw new InvalidOperationException("A singular matrix has no inverse.");
            }

            Swap(left.Row(pivot), left.Row(c));
            Swap(inverse.Row(pivot), inverse.Row(c));
            byte scale = GaloisField.Invert(left[c, c]);
            Scale(left.Row(c), scale);
            Scale(inverse.Row(c), scale);
            for (int r = 0; r < Rows; r++)
            {
                byte factor = left[r, c];
                if (r != c && factor != 0)
                {
                    AddScaled(left.Row(r), left.Row(c), factor);
                    AddScaled(inverse.Row(r), inverse.Row(c), factor);
                }
            }
        }

        return inverse;
    }

    private Span<byte> Row(int row) => _cells.AsSpan(row * Columns, Columns);

    private static void AddScaled(Span<byte> target, ReadOnlySpan<byte> source, byte factor)
    {
        if (factor == 0)
        {
            return;
        }

        for (int i = 0; i < target.Length; i++)
        {
            target[i] ^= GaloisField.Multiply(source[i], factor);
        }
    }

    private static void Scale(Span<byte> row, byte factor)
    {
        if (factor == 1)
        {
            return;
        }

        foreach (ref byte cell in row)
        {
            cell = GaloisField.Multiply(cell, factor);
        }
    }

    private static void Swap(Span<byte> a, Span<byte> b)
    {
        if (a == b)
        {
            return;
        }

        for (int i = 0; i < a.Length; i++)
        {
            (a[i], b[i]) = (b[i], a[i]);
        }
    }
}
