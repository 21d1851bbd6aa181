using CsCheck;
using ZeroStor.Erasure;

namespace ZeroStor.Tests.Erasure;

public sealed class MatrixTests
{
    private static readonly Gen<Matrix> Square =
        from size in Gen.Int[1, 24]
        from cells in Gen.Byte.Array[size * size]
        select Filled(size, size, cells);

    [Fact]
    public void A_matrix_times_its_inverse_is_the_identity_or_it_is_singular() =>
        Square.Sample(
            matrix =>
            {
                if (IsSingular(matrix))
                {
                    Assert.Throws<InvalidOperationException>(matrix.Invert);
                    return;
                }

                AssertEqual(Matrix.Identity(matrix.Rows), matrix.Multiply(matrix.Invert()));
                AssertEqual(Matrix.Identity(matrix.Rows), matrix.Invert().Multiply(matrix));
                AssertEqual(matrix, matrix.Invert().Invert());
            },
            iter: 300);

    [Fact]
    public void Inverting_leaves_the_matrix_as_it_was()
    {
        Matrix matrix = Matrix.Vandermonde(9, 9);
        matrix.Invert();
        AssertEqual(Matrix.Vandermonde(9, 9), matrix);
    }

    [Fact]
    public void A_matrix_with_two_equal_rows_has_no_inverse()
    {
        Matrix matrix = Matrix.Vandermonde(5, 5);
        for (int c = 0; c < 5; c++)
        {
            matrix[3, c] = matrix[1, c];
        }

        Assert.Throws<InvalidOperationException>(matrix.Invert);
    }

    [Fact]
    public void Pivots_are_found_below_the_diagonal()
    {
        Matrix swap = Filled(3, 3, [0, 0, 1, 1, 0, 0, 0, 1, 0]);
        AssertEqual(Filled(3, 3, [0, 1, 0, 0, 0, 1, 1, 0, 0]), swap.Invert());
    }

    [Fact]
    public void Products_are_sums_of_products()
    {
        Matrix product = Filled(2, 3, [1, 2, 3, 4, 5, 6]).Multiply(Filled(3, 1, [7, 8, 9]));
        byte first = (byte)(7 ^ SlowField.Multiply(2, 8) ^ SlowField.Multiply(3, 9));
        byte second = (byte)(SlowField.Multiply(4, 7) ^ SlowField.Multiply(5, 8) ^ SlowField.Multiply(6, 9));
        AssertEqual(Filled(2, 1, [first, second]), product);
    }

    [Fact]
    public void Rows_are_selected_in_order_of_places()
    {
        PlaceSet places = default;
        places.Add(4);
        places.Add(1);
        Matrix selected = Matrix.Vandermonde(6, 2).Select(places);
        AssertEqual(Filled(2, 2, [1, 1, 1, 4]), selected);
    }

    [Fact]
    public void Any_rows_of_a_Vandermonde_matrix_are_independent() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[0, int.MaxValue]).Sample(
            (k, seed) =>
            {
                PlaceSet rows = default;
                foreach (int row in Permutation(160, seed).Take(k))
                {
                    rows.Add(row);
                }

                Matrix.Vandermonde(160, k).Select(rows).Invert();
            },
            iter: 100);

    private static int[] Permutation(int count, int seed)
    {
        int[] all = [.. Enumerable.Range(0, count)];
        new Random(seed).Shuffle(all);
        return all;
    }

    // By elimination without division, in another order than the source's.
    private static bool IsSingular(Matrix matrix)
    {
        int size = matrix.Rows;
        byte[,] cells = new byte[size, size];
        for (int i = 0; i < size * size; i++)
        {
            cells[i / size, i % size] = matrix[i / size, i % size];
        }

        for (int c = size - 1; c >= 0; c--)
        {
            int pivot = c;
            while (pivot >= 0 && cells[pivot, c] == 0)
            {
                pivot--;
            }

            if (pivot < 0)
            {
                return true;
            }

            for (int i = 0; i < size; i++)
            {
                (cells[c, i], cells[pivot, i]) = (cells[pivot, i], cells[c, i]);
            }

            for (int r = 0; r < c; r++)
            {
                byte factor = cells[r, c];
                for (int i = 0; i < size; i++)
                {
                    cells[r, i] = (byte)(SlowField.Multiply(cells[r, i], cells[c, c])
                        ^ SlowField.Multiply(cells[c, i], factor));
                }
            }
        }

        return false;
    }

    private static Matrix Filled(int rows, int columns, byte[] cells)
    {
        var matrix = new Matrix(rows, columns);
        for (int i = 0; i < cells.Length; i++)
        {
            matrix[i / columns, i % columns] = cells[i];
        }

        return matrix;
    }

    private static void AssertEqual(Matrix expected, Matrix actual)
    {
        Assert.Equal((expected.Rows, expected.Columns), (actual.Rows, actual.Columns));
        for (int i = 0; i < expected.Rows * expected.Columns; i++)
        {
            (int row, int column) = (i / expected.Columns, i % expected.Columns);
            Assert.Equal(expected[row, column], actual[row, column]);
        }
    }
}
